"""dnf's configuration: one text for resolving and installing."""

DNF_DIRECTORY = "/mnt/dnf"
DNF_CACHE = "/tmp/dnf/cache"
"""Below the installroot, where dnf puts it: in its /tmp, which is emptied."""


def dnf_configuration(*, weak_dependencies: bool = True, documentation: bool = True) -> str:
    """The text of dnf.conf: signatures checked, no plugins, repositories only from our directory."""
    lines = [
        "[main]",
        "gpgcheck=1",
        "plugins=0",
        "best=1",
        "skip_if_unavailable=0",
        f"reposdir={DNF_DIRECTORY}",
        f"cachedir={DNF_CACHE}",
        "logdir=/tmp/dnf",
        "timeout=20",
        "retries=2",
        f"install_weak_deps={int(weak_dependencies)}",
        *([] if documentation else ["tsflags=nodocs"]),
    ]
    return "\n".join(lines) + "\n"
