"""Scriptlets that fail, in every language and phase, and owners that do not exist: with the real dnf and rpm."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.tiny import install_rpms

pytestmark = pytest.mark.integration

Compose = Callable[..., Path]


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture
def compose(tools: Tools, tmp_path: Path) -> Compose:
    """Installs an RPM "one", with more lines in its spec, and another one with a static /bin/sh before it."""
    return lambda **spec: install_rpms(tools, tmp_path, {"one": spec}).root


def test_what_does_not_fail_is_installed(compose: Compose) -> None:
    root = compose(
        scriptlets="%post\necho done > /done\n%posttrans -p <lua>\nprint('done')\n",
        install="install -D -m 0755 /dev/null %{buildroot}/usr/bin/own",
        files="%attr(2755,root,root) /usr/bin/own\n%ghost %attr(0600,root,root) /var/ghost",
    )
    assert (root / "done").read_text() == "done\n"
    assert (root / "usr/bin/own").stat().st_mode & 0o7777 == 0o2755


@pytest.mark.parametrize("language", ["", " -p <lua>"])
@pytest.mark.parametrize(
    ("section", "tag"),
    [
        ("%pre{}", "prein"),
        ("%pretrans{}", "pretrans"),
        ("%post{}", "postin"),
        ("%posttrans{}", "posttrans"),
        ("%triggerin{} -- shell", "trigger"),
        ("%filetriggerin{} -- /usr/share", "trigger"),
        ("%transfiletriggerin{} -- /usr/share", "trigger"),
    ],
)
def test_a_scriptlet_that_fails_is_an_error(compose: Compose, section: str, tag: str, language: str) -> None:
    body = "error('oops')" if language else "echo oops >&2; exit 3"
    with pytest.raises(WorkbookError) as caught:
        compose(scriptlets=f"{section.format(language)}\n{body}\n")
    if tag == "pretrans" and not language:  # before the first package there is no shell, so nothing is run
        assert caught.value.message.startswith("tiny.yaml: dnf could not install")
        return
    assert re.fullmatch(rf"a package's scriptlet failed: {tag} of one(-1-1\.noarch)?", caught.value.message)
    assert "oops" in caught.value.log


@pytest.mark.parametrize("language", ["", " -p <lua>"])
@pytest.mark.parametrize(
    "section", ["%triggerprein{} -- one", "%triggerin{} -- one", "%transfiletriggerin{} -- /usr/lib"]
)
def test_a_trigger_of_an_earlier_package_that_fails_is_an_error(
    tools: Tools, tmp_path: Path, section: str, language: str
) -> None:
    body = "error('oops')" if language else "exit 3"
    earlier = {"scriptlets": f"{section.format(language)}\n{body}\n", "tags": "Requires: shell"}
    one = {"tags": "Requires(pre): earlier", "install": "install -D /dev/null %{buildroot}/usr/lib/one",
           "files": "/usr/lib/one"}  # fmt: skip
    with pytest.raises(WorkbookError) as caught:
        install_rpms(tools, tmp_path, {"earlier": earlier, "one": one})
    assert caught.value.message == "a package's scriptlet failed: trigger of earlier"


def test_an_interpreter_that_is_missing_is_an_error(compose: Compose) -> None:
    with pytest.raises(WorkbookError, match="found no solution"):
        compose(scriptlets="%post -p /usr/bin/nosuch\nx\n")


def test_an_owner_that_does_not_exist_is_an_error_that_names_package_and_file(compose: Compose) -> None:
    with pytest.raises(WorkbookError) as caught:
        compose(
            install="install -D -m 0755 /dev/null %{buildroot}/usr/bin/own; install -D /dev/null %{buildroot}/etc/own",
            files="%attr(2755,root,nogrp) /usr/bin/own\n%attr(0640,nouser,nogrp) /etc/own",
        )
    assert caught.value.message.splitlines() == [
        "one: /etc/own: owner and group differ: the package has nouser:nogrp 0640, the tree 0:0 0640",
        "one: /usr/bin/own: group and mode differ: the package has root:nogrp 2755, the tree 0:0 0755",
    ]


@pytest.mark.parametrize("accounts", ["before", "after"])
def test_an_owner_whose_account_is_made_too_late_is_an_error(compose: Compose, accounts: str) -> None:
    account = "mkdir -p /etc; echo own:x:900: > /etc/group; echo own:x:900:900::/:/bin/sh > /etc/passwd"
    spec = {
        "install": "install -D /dev/null %{buildroot}/usr/own",
        "files": "%attr(0640,own,own) /usr/own",
        "scriptlets": f"%{'pre' if accounts == 'before' else 'post'}\n{account}",
    }
    if accounts == "before":
        assert (compose(**spec) / "usr/own").stat().st_uid == 900
        return
    with pytest.raises(WorkbookError) as caught:
        compose(**spec)
    assert (
        caught.value.message == "one: /usr/own: owner and group differ: the package has own:own 0640, the tree 0:0 0640"
    )


def test_a_file_that_a_scriptlet_gives_to_another_owner_is_said_and_accepted(
    compose: Compose, capsys: pytest.CaptureFixture[str]
) -> None:
    compose(scriptlets="%post\nchown 900:901 /usr/share/one; chmod 4754 /usr/share/one")
    assert (
        "one: /usr/share/one: owner and group and mode differ: the package has root:root 0644, the tree 900:901 4754"
        in (capsys.readouterr().err)
    )


def test_capabilities_that_a_scriptlet_removes_are_an_error_and_permissions_are_not(
    compose: Compose, capsys: pytest.CaptureFixture[str]
) -> None:
    install = "install -D -m 0755 /dev/null %{buildroot}/usr/bin/own; install -D /dev/null %{buildroot}/etc/own"
    files = "%caps(cap_net_raw=ep) /usr/bin/own\n%attr(0644,root,root) /etc/own"
    with pytest.raises(WorkbookError, match="cap_net_raw") as caught:
        compose(
            install=install, files=files, scriptlets="%post\ncp /usr/bin/own /x; mv /x /usr/bin/own\nchmod 600 /etc/own"
        )
    assert caught.value.message == (
        "one: /usr/bin/own: capabilities differ: the package has root:root 0755 cap_net_raw=ep, the tree 0:0 0755"
    )
    assert "one: /etc/own: mode differs: the package has root:root 0644, the tree 0:0 0600; accepted" in (
        capsys.readouterr().err
    )
