"""What a counted boot adds to the image's initramfs: the probe, a metadata service, and their units.

The kernel unpacks one archive after another into the same initial root, so the additions
are an archive of their own behind the image's, and the image itself stays as it is. In the
initramfs they lie in /counted; a unit there copies them to /run, which the switch to the
real root keeps. Everything runs on the tools tree's static busybox, so that an image
without a tool is measured as one with it.

The scripts and units are the files of the folder ``initramfs``. The probe waits for the end of
the boot and a second longer: logins start when all else is done, and chance would decide whether
they count. It asks the journal for the messages in which systemd logs what a unit took when it
ended (SD_MESSAGE_UNIT_RESOURCES).
"""

from collections.abc import Iterable, Mapping

from atomic_lib.formats.cpio import Member, archive, link_to, text_file
from atomic_lib.guest.programs import program_text
from atomic_lib.guest.vm.metadata_service import Instance, answer, metadata_leaves

PREFIX = "counted-"
"""Units with this prefix belong to the probe; what they cost is not the boot's."""
PROBE_UNIT = f"{PREFIX}probe.service"
_COPY_UNIT = f"{PREFIX}copy.service"
_METADATA_UNIT = f"{PREFIX}metadata.service"
REPORT_HEAD = "counted boot, report 1"

# Text, not a key: no login happens in a counted boot.
_PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIII counted"
_ENDING = "/.index"

HOST_KEYS_UNIT = "sshd-keygen.service"
"""Makes no RSA key in a counted boot: the search for its primes takes a random number of instructions.

Conditions such as ConditionFirstBoot stay as the image has them, and so do keys that are there.
"""
CLOUD_INIT_OPTIONS = "cc: ssh_genkeytypes: [ecdsa, ed25519] end_cc"
"""Kernel arguments with which cloud-init makes no RSA key either; other agents ignore them."""


def counted_instance() -> Instance:
    """The instance of every counted guest; its script records when it ran, on the guest's clock."""
    return Instance("i-00000000000000001", "counted", (_PUBLIC_KEY,), _text("user-data"))


def probe_archive(
    busybox: bytes, served: Instance | None, extra_units: Mapping[str, str], extra_programs: Mapping[str, bytes]
) -> bytes:
    """The archive to append to an initramfs.

    ``busybox``: the static program; ``served``: the instance that the metadata service serves,
    None for no service; ``extra_units``: texts of services to start with
    multi-user.target; ``extra_programs``: what they run, found as /run/counted/NAME.
    """
    service = {_METADATA_UNIT: _text(_METADATA_UNIT)} if served else {}
    files = {
        "counted/busybox": Member(busybox, executable=True),
        "counted/copy": text_file(_text("copy")),
        "counted/probe": text_file(_text("probe")),
        "counted/metadata": text_file(_text("metadata"), executable=True),
        **{f"counted/{name}": Member(program, executable=True) for name, program in extra_programs.items()},
        **(_metadata_files(served) if served else {}),
        **_wanted("counted/units", "sysinit.target", service),
        **_wanted("counted/units", "multi-user.target", {PROBE_UNIT: _text(PROBE_UNIT), **extra_units}),
        f"counted/units/{HOST_KEYS_UNIT}.d/counted.conf": text_file(_text("sshd-keygen.conf")),
        **_wanted("etc/systemd/system", "initrd.target", {_COPY_UNIT: _text(_COPY_UNIT)}),
    }
    return archive(files)


def _text(name: str) -> str:
    return program_text(__file__, f"initramfs/{name}")


def _wanted(directory: str, target: str, units: Mapping[str, str]) -> dict[str, Member]:
    texts = {f"{directory}/{name}": text_file(text) for name, text in units.items()}
    return texts | {f"{directory}/{target}.wants/{name}": link_to(f"../{name}") for name in units}


def _metadata_files(instance: Instance) -> dict[str, Member]:
    """The documents of the metadata service, a file each; ``.index`` is the listing of a directory."""
    leaves = metadata_leaves(instance)
    files = {f"counted/tree/{path}": text for path, text in leaves.items()}
    for directory in _directories(leaves):
        files[f"counted/tree/{directory}{_ENDING}"] = answer(leaves, f"/latest/{directory}") or ""
    files |= {"counted/token": "A" * 43, "counted/versions": answer(leaves, "/") or ""}
    return {path: text_file(text) for path, text in files.items()}


def _directories(leaves: Iterable[str]) -> set[str]:
    return {path[:end] for path in leaves for end, letter in enumerate(path) if letter == "/"}
