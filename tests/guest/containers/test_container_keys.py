"""What the cache key of a container service depends on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from atomic_lib.guest.containers.container_service import CONTAINER_SERVICE, HostUpdate, ImageToLoad, ServiceRequest
from atomic_lib.guest.guest_session import SessionRequest
from atomic_lib.params.variant import Variant, load_variant
from tests.contexts import own_context


class _Image:
    def __init__(self, key: str) -> None:
        self.key = key


WEB = ImageToLoad("web", "web:1", "1" * 64, Path("image.tar"), 10, ("bash-0:5-1.x86_64",), has_rpm=True)


def session(key: str = "one", **overrides: Any) -> SessionRequest:
    variant: Variant = load_variant("atomic-min", overrides={"accelerator": "tcg", **overrides})
    image: Any = _Image(key)
    return SessionRequest(variant, "enforcing", image)


SESSIONS = (session("two"), replace(session(), selinux="permissive"), session(guest_memory_mib=1024),
            session(guest_cpus=2), session(runtime="podman"))  # fmt: skip
OTHER_IMAGES = (replace(WEB, id="2" * 64), replace(WEB, tag="web:2"), replace(WEB, nevras=()),
                replace(WEB, has_rpm=False))  # fmt: skip


def test_another_host_image_or_update_is_another_service(tmp_path: Path) -> None:
    request = ServiceRequest(session(), (WEB,), HostUpdate("a", tmp_path))
    others = [
        *(replace(request, session=other) for other in SESSIONS),
        *(replace(request, images=(image,)) for image in OTHER_IMAGES),
        replace(request, update=None),
        replace(request, swarm=True),
        replace(request, update=HostUpdate("b", tmp_path)),
    ]
    context = own_context(tmp_path)
    keys = [CONTAINER_SERVICE.inputs(one, context) for one in (request, *others)]
    assert all(keys.count(key) == 1 for key in keys)
    elsewhere = replace(request, update=HostUpdate("a", tmp_path / "elsewhere"))
    assert CONTAINER_SERVICE.inputs(elsewhere, context) == keys[0]
