"""What a counted boot adds to the image's initramfs: the probe, a metadata service, and their units.

The kernel unpacks one archive after another into the same initial root, so the additions
are an archive of their own behind the image's, and the image itself stays as it is. In the
initramfs they lie in /counted; a unit there copies them to /run, which the switch to the
real root keeps. Everything runs on the tools tree's static busybox, so that an image
without a tool is measured as one with it.
"""

from collections.abc import Iterable, Mapping

from atomic_lib.formats.cpio import Member, archive, link_to, text_file
from atomic_lib.guest.vm.metadata_service import Instance, answer, metadata_leaves

PREFIX = "counted-"
"""Units with this prefix belong to the probe; what they cost is not the boot's."""
PROBE_UNIT = f"{PREFIX}probe.service"
REPORT_HEAD = "counted boot, report 1"

_FINISH_SECONDS = 900
# The logins are started when all else is done: without this, whether they count is a matter of chance.
_SETTLE_SECONDS = 1
# Text, not a key: nobody can log in with it, and nobody tries.
_PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIII counted"
_ENDING = "/.index"
_SCRIPT_DONE = "/run/counted/script-done"

_METADATA = r"""#!/run/counted/busybox sh
# Answers one request of the EC2 metadata service.
IFS=" " read -r method path rest
while IFS= read -r line; do
    case $line in ?|"") break;; esac
done
path=${path%%\?*}
code="200 OK"
case "$method $path" in
"PUT /latest/api/token") file=/run/counted/token;;
"GET /") file=/run/counted/versions;;
*)  path=${path#/}
    path=${path#*/}
    file=/run/counted/tree/${path%/}
    [ -d "$file" ] && file=$file/.index
    [ -f "$file" ] || { code="404 Not Found"; file=/dev/null; };;
esac
text=$(/run/counted/busybox cat "$file"; echo .)
text=${text%.}
printf 'HTTP/1.1 %s\r\nContent-Type: text/plain\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n' "$code"
printf 'Content-Length: %s\r\nConnection: close\r\n\r\n%s' "${#text}" "$text"
"""

# Resources a unit took, logged when it ends (systemd: SD_MESSAGE_UNIT_RESOURCES).
_ENDED_MESSAGE = "ae8f7b866b0347b9af31fe1c80b127c0"
_PROBE = f"""#!/run/counted/busybox sh
# Waits for the end of the boot, reads the counters, reports to the second serial port, ends the guest.
export PATH=/usr/bin:/usr/sbin:/bin:/sbin
bb=/run/counted/busybox
cd /run/counted
$bb timeout {_FINISH_SECONDS} systemctl is-system-running --wait >state
$bb sleep {_SETTLE_SECONDS}
$bb cat /proc/timer_list /sys/fs/cgroup/system.slice/{PROBE_UNIT}/cpu.stat >timers
cd /sys/fs/cgroup
$bb find . -name cpu.stat -exec $bb grep -H usage_usec {{}} + >/run/counted/groups
cd /run/counted
# SELinux gives a service that runs the program itself a domain that may read no journal
$bb cp /usr/bin/journalctl .
{{
echo "{REPORT_HEAD}"
echo "== state"; $bb cat state
echo "== clock"; $bb grep -E "^now at|idle_sleeptime|iowait_sleeptime|^usage_usec" timers
echo "== initrd"; $bb cat initrd-usec
echo "== script"; $bb cat {_SCRIPT_DONE}
echo "== groups"; $bb cat groups
echo "== manager"; systemctl show
echo "== units"; systemctl show '*' -p Id,ActiveState,CPUUsageNSec,ControlGroup,Slice,ActiveEnterTimestampMonotonic
echo "== journal"; ./journalctl -q -b -o json --output-fields=UNIT,CPU_USAGE_NSEC MESSAGE_ID={_ENDED_MESSAGE}
}} >report 2>errors
{{
$bb cat report
echo "== sum"; $bb sha256sum <report
}} >/dev/ttyS1
echo o >/proc/sysrq-trigger
$bb sleep 60
"""

_PROBE_TEXT = """[Unit]
Description=Report what the boot cost
DefaultDependencies=no
After=multi-user.target
[Service]
# through the image's shell, of which SELinux makes an unconfined domain
ExecStart=/bin/sh -c 'exec /run/counted/busybox sh /run/counted/probe'
StandardOutput=null
StandardError=null
"""

_METADATA_UNIT = """[Unit]
Description=Metadata service of the counted boot
DefaultDependencies=no
After=local-fs.target
Before=network-pre.target cloud-init-local.service
[Service]
Type=exec
StandardOutput=null
ExecStartPre=/run/counted/busybox ip address add 169.254.169.254/32 dev lo
ExecStartPre=/run/counted/busybox ip link set lo up
ExecStart=/run/counted/busybox nc -ll -p 80 -e /run/counted/metadata
"""

# ConditionFirstBoot and the like stay as the image has them. Keys that are there already stay, too.
_HOST_KEYS = """[Service]
ExecStart=
ExecStart=/bin/sh -c '[ -e $$0 ] || exec ssh-keygen -q -t ecdsa -N "" -f $$0' /etc/ssh/ssh_host_ecdsa_key
ExecStart=/bin/sh -c '[ -e $$0 ] || exec ssh-keygen -q -t ed25519 -N "" -f $$0' /etc/ssh/ssh_host_ed25519_key
"""
HOST_KEYS_UNIT = "sshd-keygen.service"
"""Makes no RSA key in a counted boot: the search for its primes takes a random number of instructions."""
CLOUD_INIT_OPTIONS = "cc: ssh_genkeytypes: [ecdsa, ed25519] end_cc"
"""Words for the kernel that tell cloud-init the same; other agents have no use for them."""
_USER_DATA = f"#!/bin/sh\nread -r uptime rest </proc/uptime\necho $uptime >{_SCRIPT_DONE}\n"

_COPY = """#!/bin/sh
mkdir -p /run/systemd/system
cp -a /counted /run/
cp -a /counted/units/. /run/systemd/system/
read -r name usec </sys/fs/cgroup/system.slice/counted-copy.service/cpu.stat
echo "$usec" >/run/counted/initrd-usec
"""

_COPY_UNIT = """[Unit]
Description=Hand the apparatus of the counted boot to the real root
DefaultDependencies=no
After=initrd-root-fs.target
Before=initrd-cleanup.service initrd-switch-root.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /counted/copy
"""


def counted_instance() -> Instance:
    """What every counted guest is told; its script leaves when it ran, on the guest's clock."""
    return Instance("i-00000000000000001", "counted", (_PUBLIC_KEY,), _USER_DATA)


def probe_archive(
    busybox: bytes, served: Instance | None, extra_units: Mapping[str, str], extra_programs: Mapping[str, bytes]
) -> bytes:
    """The archive to append to an initramfs.

    ``busybox``: the static program; ``served``: what the metadata service has for the guest,
    None where there is no service; ``extra_units``: texts of services to start with
    multi-user.target; ``extra_programs``: what they run, found as /run/counted/NAME.
    """
    service = {f"{PREFIX}metadata.service": _METADATA_UNIT} if served else {}
    files = {
        "counted/busybox": Member(busybox, executable=True),
        "counted/copy": text_file(_COPY),
        "counted/probe": text_file(_PROBE),
        "counted/metadata": text_file(_METADATA, executable=True),
        **{f"counted/{name}": Member(program, executable=True) for name, program in extra_programs.items()},
        **(_metadata_files(served) if served else {}),
        **_wanted("counted/units", "sysinit.target", service),
        **_wanted("counted/units", "multi-user.target", {PROBE_UNIT: _PROBE_TEXT, **extra_units}),
        f"counted/units/{HOST_KEYS_UNIT}.d/counted.conf": text_file(_HOST_KEYS),
        **_wanted("etc/systemd/system", "initrd.target", {f"{PREFIX}copy.service": _COPY_UNIT}),
    }
    return archive(files)


def _wanted(directory: str, target: str, units: Mapping[str, str]) -> dict[str, Member]:
    texts = {f"{directory}/{name}": text_file(text) for name, text in units.items()}
    return texts | {f"{directory}/{target}.wants/{name}": link_to(f"../{name}") for name in units}


def _metadata_files(instance: Instance) -> dict[str, Member]:
    """What the metadata service knows, a file per document; ``.index`` is the listing of its directory."""
    leaves = metadata_leaves(instance)
    files = {f"counted/tree/{path}": text for path, text in leaves.items()}
    for directory in _directories(leaves):
        files[f"counted/tree/{directory}{_ENDING}"] = answer(leaves, f"/latest/{directory}") or ""
    files |= {"counted/token": "A" * 43, "counted/versions": answer(leaves, "/") or ""}
    return {path: text_file(text) for path, text in files.items()}


def _directories(leaves: Iterable[str]) -> set[str]:
    return {path[:end] for path in leaves for end, letter in enumerate(path) if letter == "/"}
