"""The injected faults, one row each, the same for every agent."""

import gzip
import random

from atomic_lib.guest.faults.fault import (
    HEAD,
    KEY,
    OTHER_KEYS,
    PROOF,
    SCRIPT,
    Behaviour,
    Expected,
    Fault,
    PlantedLink,
    ServiceRule,
)

_TOKEN = "/latest/api/token"
_META = "/latest/meta-data"
_USER_DATA = "/latest/user-data"
_FIRST_KEY = f"{_META}/public-keys/0"
_SECOND_KEY = f"{_META}/public-keys/1"
_NOTHING = Expected((), None, 0)
_REFUSED = "nothing of it was run"
_RESTRICTED = f'from="10.0.0.0/8",command="/bin/echo \\"a b\\"",no-pty {KEY}'
_INNER = "2.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/x-shellscript\n\n"
# Random bytes that begin neither with "#!" nor as gzip does.
_RUBBISH = b"\x7f" + random.Random(1).randbytes(3000)
_PLANTED = f"$(touch {PROOF}/pwned)"
_COMMENT = b"# a comment of some length\n"
_MANY = tuple(f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{number}" for number in range(4999))
_META_DATA = f"""# a comment
instance-id: "i-1"
local-hostname: 'web-1'   # another
network:
  version: 2
public-keys:
  - {KEY}
""".encode()


def _say(words: str, requests: int = 8, may_run: bool = False) -> Expected:
    """Keys and host name are there, the script is not run, and one line says why."""
    return Expected(runs=0, says=words, requests=requests, may_run=may_run)


def _host_name(behaviour: Behaviour, status: int = 200, boots: int = 0) -> tuple[ServiceRule, ...]:
    """The service's rules for both documents that have the host name."""
    return tuple(
        ServiceRule(f"{_META}/{name}", behaviour, status, boots=boots) for name in ("local-hostname", "hostname")
    )


_SERVICE = (
    Fault("nothing wrong", "a service with session tokens, one key, a script"),
    Fault("404 everywhere", "the service knows nothing", Expected((), None, 0, requests=5), sessions="v1",
          rules=(ServiceRule("/", "status", 404),)),
    Fault("no v2", "a service that answers the request for a token with 404", sessions="v1"),
    Fault("OpenStack", "OpenStack's service: no tokens (405), a host name with its domain",
          Expected(hostname="web-1.novalocal"), hostname="web-1.novalocal", sessions="v1",
          rules=(ServiceRule(_TOKEN, "status", 405),)),
    Fault("v2 required", "nothing is answered without a token", sessions="required"),
    Fault("token: 503 twice", "the token comes at the third request; all else would do without", Expected(requests=10),
          rules=(ServiceRule(_TOKEN, "status", 503, 2),)),
    Fault("token: always 500", "no token ever, while all else would do without: taking it would be a downgrade",
          Expected((), None, 0, "session token", 40), rules=(ServiceRule(_TOKEN, "status", 500),), limit_seconds=3),
    Fault("token expires", "each token is good for four requests only", Expected((KEY, OTHER_KEYS[0]), requests=12),
          keys=(KEY, OTHER_KEYS[0]), sessions="required", token_uses=4),
    Fault("5xx, then fine", "status 503 for the first five requests", Expected(requests=20),
          rules=(ServiceRule("/", "status", 503, 5),), limit_seconds=20),
    Fault("one key: always 500", "the second of three keys is never served",
          Expected((KEY, OTHER_KEYS[1]), "web-1", 0, "HTTP status 500", 80), keys=(KEY, *OTHER_KEYS[:2]),
          rules=(ServiceRule(_SECOND_KEY, "status", 500),), limit_seconds=3),
    Fault("host name: always 500", "the host name is never served", Expected(hostname=None, runs=0, requests=60),
          rules=_host_name("status", 500), limit_seconds=3),
    Fault("user-data: always 500", "the script is never served", _say("HTTP status 500", requests=40),
          rules=(ServiceRule(_USER_DATA, "status", 500),), limit_seconds=3),
    Fault("host name: always 500, all else slow", "the host name is never served, and every other answer takes 1.3 s",
          Expected(hostname=None, runs=0, says="HTTP status 500", requests=60),
          rules=(*_host_name("status", 500), ServiceRule("/", "slow")), limit_seconds=6),
    Fault("user-data: 500, then fine", "the script is served at the second boot only", Expected(requests=40),
          rules=(ServiceRule(_USER_DATA, "status", 500, boots=1),), boots=("i-1", "i-1"), limit_seconds=3),
    Fault("host name: 500, then fine", "the host name is served at the second boot only", Expected(requests=60),
          rules=_host_name("status", 500, boots=1), boots=("i-1", "i-1"), limit_seconds=3),
    Fault("redirect", "every answer is a redirect", Expected((), None, 0, "HTTP status 302", 40),
          rules=(ServiceRule("/", "status", 302),), limit_seconds=3),
)  # fmt: skip
_NETWORK = (
    Fault("connection refused", "nothing listens at 169.254.169.254", Expected((), None, 0, "no usable answer", 0),
          network="refused", limit_seconds=3),
    Fault("no route", "the network does not come up", Expected((), None, 0, "no usable answer", 0), network="none",
          limit_seconds=3),
    Fault("black hole", "no packet to 169.254.169.254 is answered",
          Expected((), None, 0, "no usable answer", 0, 20), network="black hole", limit_seconds=3),
    Fault("silence", "connections are accepted, but never answered",
          Expected((), None, 0, "no usable answer", 0, 20), network="silent", limit_seconds=3),
    Fault("late network", "the network comes up after the agent has started", network="late", limit_seconds=15),
    Fault("slow drip: user-data", "user-data arrives byte by byte and never ends",
          Expected(runs=0, says="no usable answer", requests=30, seconds=25), rules=(ServiceRule(_USER_DATA, "drip"),),
          limit_seconds=3),
    Fault("slow drip: the host name", "the host name arrives byte by byte and never ends",
          Expected(hostname=None, runs=0, says="no usable answer", requests=60, seconds=25),
          rules=_host_name("drip"), limit_seconds=3),
    Fault("slow drip: a key", "the first of two keys arrives byte by byte and never ends",
          Expected((OTHER_KEYS[0],), "web-1", 0, "no usable answer", 60, 25), keys=(KEY, OTHER_KEYS[0]),
          rules=(ServiceRule(_FIRST_KEY, "drip"),), limit_seconds=3),
    Fault("truncated, then whole", "user-data is cut off halfway, twice", Expected(requests=12),
          rules=(ServiceRule(_USER_DATA, "truncate", times=2),)),
    Fault("truncated key", "the key is always cut off halfway: half a key is none",
          Expected((), "web-1", 0, "no usable answer", 40), rules=(ServiceRule(_FIRST_KEY, "truncate"),),
          limit_seconds=3),
    Fault("endless: user-data", "user-data never ends", _say("larger than"),
          rules=(ServiceRule(_USER_DATA, "endless"),)),
    Fault("endless: a key", "the first of two keys never ends",
          Expected((OTHER_KEYS[0],), says="larger than", requests=10),
          keys=(KEY, OTHER_KEYS[0]), rules=(ServiceRule(_FIRST_KEY, "endless"),)),
)  # fmt: skip
_DATA = (
    Fault("no key", "the service has no key", Expected(()), keys=()),
    Fault("five keys", "the service has five keys", Expected((KEY, *OTHER_KEYS), requests=12), keys=(KEY, *OTHER_KEYS)),
    Fault("key with options", "a key with from=, command= and no-pty before it", Expected((_RESTRICTED,)),
          keys=(_RESTRICTED,)),
    Fault("CRLF", "key, host name and script with the line ends of Windows", keys=(f"{KEY}\r\n",),
          hostname="web-1\r\n", user_data=SCRIPT.replace(b"\n", b"\r\n")),
    Fault("gzip", "user-data is compressed", user_data=gzip.compress(SCRIPT, mtime=0)),
    Fault("gzip, damaged", "compressed user-data without its end", _say("gzip that is damaged"),
          user_data=gzip.compress(SCRIPT + random.Random(2).randbytes(999), mtime=0)[:-40]),
    Fault("gzip, 64 MB", "compressed user-data that is 64 MB when unpacked",
          _say("gzip that is larger", may_run=True),
          user_data=gzip.compress(SCRIPT, mtime=0) + 64 * gzip.compress(b"#" * 1_000_000, 9, mtime=0)),
    Fault("binary rubbish", "user-data is random bytes", _say(_REFUSED), user_data=_RUBBISH),
    Fault("rubbish as a key", "the first of two keys is an error page",
          Expected((OTHER_KEYS[0],), says="no public key", requests=8),
          keys=("<html>\n<body>503 Service Unavailable</body>\n</html>", OTHER_KEYS[0])),
    Fault("without #!", "user-data is shell code without its first line", _say(_REFUSED),
          user_data=SCRIPT.partition(b"\n")[2]),
    Fault("#cloud-config", "user-data is cloud-config, which only cloud-init does", _say("is #cloud-config"),
          user_data=f"#cloud-config\nwrite_files: [{{path: {PROOF}/config, content: a}}]\n".encode()),
    Fault("MIME", "user-data is MIME with a script in it, which only cloud-init takes apart",
          _say("is MIME", may_run=True), user_data=f"MIME-Version: {_INNER}{HEAD}--x--\n".encode()),
    Fault("huge script", "a script of 1 MB", user_data=SCRIPT + _COMMENT * 40_000),
    Fault("script of 5 MB", "a script larger than any cloud gives", _say("larger than", may_run=True),
          user_data=SCRIPT + _COMMENT * 200_000),
)  # fmt: skip
_SCRIPTS = (
    Fault("script fails", "the script ends with status 7; two boots", Expected(), user_data=SCRIPT + b"exit 7\n",
          boots=("i-1", "i-1")),
    Fault("script killed", "the script is killed; two boots", Expected(), user_data=SCRIPT + b"kill -9 $$\n",
          boots=("i-1", "i-1")),
    Fault("script reboots", "the machine goes down while the script runs; three boots",
          user_data=SCRIPT + b"kill -9 0\nsleep 9\n", boots=("i-1", "i-1", "i-1")),
)  # fmt: skip
_STATE = (
    Fault("same instance", "three boots of one instance", Expected(requests=6), boots=("i-1", "i-1", "i-1")),
    Fault("cloned disk", "the disk is started as another instance, then again", Expected(runs=2),
          boots=("i-1", "i-2", "i-2")),
    Fault("power cut before a step", "the power fails before each command of the agent in turn; what was not synced is "
          "lost; then a second boot", boots=("i-1", "i-1"), cut="before"),
    Fault("power cut after a step", "the same after each command", boots=("i-1", "i-1"), cut="after"),
    Fault("read-only disk", "nothing can be written", Expected((), None, 0, "cannot", 20), disk="read-only",
          limit_seconds=3),
    Fault("nearly full disk", "there is room for the keys and not for the script; at the second boot there is",
          Expected(requests=12), disk="nearly full", boots=("i-1", "i-1"), user_data=SCRIPT + _COMMENT * 4000),
    Fault("nearly full disk, gzip", "the same with a compressed script", Expected(requests=12), disk="nearly full",
          boots=("i-1", "i-1"), user_data=gzip.compress(SCRIPT + _COMMENT * 4000, mtime=0)),
    Fault("nearly full disk, disc", "the same with a script on a cidata disc", Expected(requests=0), network="none",
          disk="nearly full", boots=("i-1", "i-1"),
          disc=(("meta-data", _META_DATA), ("user-data", SCRIPT + _COMMENT * 4000))),
    Fault("full disk", "no byte is left at the first boot; there is room at the second", Expected(requests=12),
          disk="full", boots=("i-1", "i-1")),
)  # fmt: skip
_HOSTILE = (
    Fault("host name $(...)", "the host name is a command", Expected(hostname=None, says="RFC 1123"),
          hostname=_PLANTED),
    Fault("host name of two lines", "the host name has a second line", Expected(hostname=None, says="RFC 1123"),
          hostname="web-1\n127.0.0.1 example.org"),
    Fault("host name with ..", "the host name is a path", Expected(hostname=None, says="RFC 1123"),
          hostname="../../root/web-1"),
    Fault("host name of 5000 letters", "the host name is longer than any may be",
          Expected(hostname=None, says="RFC 1123"), hostname="w" * 5000),
    Fault("hostile key", "a key with lines of configuration, commands and control characters around it",
          Expected(says="no public key"),
          keys=(f"{_PLANTED}\nPermitRootLogin yes\n{KEY}\n\x1b]0;ssh-rsa AAAA\x07\n../../x",)),
    Fault("a thousand keys", "the index names a thousand keys, all but the first one empty",
          Expected(says="more than 32 keys", requests=40), keys=(KEY, *[""] * 999)),
    Fault("hostile instance-id", "the instance-id is a path; two boots", boots=("../../etc/i-1", "../../etc/i-1")),
    Fault("five thousand lines of keys", "the second key comes with five thousand others",
          Expected(more_keys=_MANY, says="more than 32 keys or 1000 lines"), keys=(KEY, "\n".join(_MANY))),
    Fault("link at .ssh", "/root/.ssh is a link to a directory", links=(PlantedLink("/root/.ssh", "/var/outside"),)),
    Fault("link at authorized_keys", "authorized_keys is a link to a file",
          links=(PlantedLink("/root/.ssh/authorized_keys", "/var/outside/file"),)),
    Fault("link at a temporary file", "where the agent makes its new files there are links to a file",
          links=(PlantedLink("/root/.ssh/.authorized_keys.min-cloud-agent", "/var/outside/file"),
                 PlantedLink("/etc/.hostname.min-cloud-agent", "/var/outside/file"))),
)  # fmt: skip
_DISC = (
    Fault("disc", "a cidata disc, and no network", Expected(requests=0), network="none",
          disc=(("meta-data", _META_DATA), ("user-data", SCRIPT))),
    Fault("disc, cloned", "the disc of another instance in the same machine", Expected(runs=2, requests=0),
          network="none", disc=(("meta-data", _META_DATA), ("user-data", SCRIPT)), boots=("i-1", "i-1", "i-2")),
    Fault("disc, JSON", "meta-data is JSON, as cloud-localds writes it", Expected(requests=0), network="none",
          disc=(("meta-data", f'{{\n"instance-id": "i-1",\n"local-hostname": "web-1",\n"public-keys": ["{KEY}"]\n}}\n'
                 .encode()), ("user-data", SCRIPT))),
    Fault("disc, empty meta-data", "meta-data is empty, as virt-install leaves it: no key, and a script",
          Expected((), None, requests=0), network="none", boots=("i-1", "i-1"),
          disc=(("meta-data", b""), ("user-data", SCRIPT))),
    Fault("disc, other YAML", "meta-data is YAML that a flat reader cannot take; no network",
          Expected((), None, 0, "not flat YAML", 0), network="none", limit_seconds=3,
          disc=(("meta-data", f"instance-id: i-1\npublic-keys: {{one: '{KEY}'}}\n".encode()), ("user-data", SCRIPT))),
)  # fmt: skip

FAULTS = (*_SERVICE, *_NETWORK, *_DATA, *_SCRIPTS, *_STATE, *_HOSTILE, *_DISC)
"""All faults, grouped by what goes wrong."""


def fault_named(name: str) -> Fault:
    """The row with this name."""
    return next(fault for fault in FAULTS if fault.name == name)
