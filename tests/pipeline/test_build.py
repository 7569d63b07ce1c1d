"""What a variant's own limits apply to."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from atomic_lib.params.variant import Variant
from atomic_lib.pipeline import build
from atomic_lib.pipeline.build import Build
from atomic_lib.tools.confinement.limits import Limits
from atomic_lib.tools.context import Context
from tests.contexts import own_context


def test_the_limits_of_a_variant_hold_when_its_tree_is_composed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Context] = []
    monkeypatch.setattr(build, "compose_tree", lambda request, context: seen.append(context))
    limits = {"timeout_seconds": 1, "processes": 20, "memory_mib": 300, "file_size_mib": 400, "open_files": 500}
    values = {"variant": "x", "method": "ostree", "recipe": "small", "agent": "cloud-init"}
    variant = Variant.model_validate({**values, **{f"script_{name}": value for name, value in limits.items()}})
    made = Build(variant, own_context(tmp_path))
    for name in ("recipe", "content", "rpm_set"):
        vars(made)[name] = Mock(ostree_source=None)
    assert made.tree is None
    assert seen[0].tools.limits == Limits(seconds=1, processes=20, memory_mib=300, file_size_mib=400, open_files=500)
    assert seen[0].tools_key == made.context.tools_key


def test_the_limits_that_parameters_do_not_change_are_those_of_the_sandbox() -> None:
    values = {"variant": "x", "method": "ostree", "recipe": "small", "agent": "cloud-init"}
    context = own_context(Path("/nonexistent"))
    assert build.with_limits(context, Variant.model_validate(values)).tools.limits == Limits()
