"""dnf's errors for a changed repository become one error that names the repository."""

from pathlib import Path

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.content.dnf import index_problem, repository_error

LOCAL = {"standin": Path("/cache/content/1")}
FAILED = "Error: Failed to download metadata for repo"


def dnf_failed(stderr: str) -> CommandError:
    error = CommandError("dnf: exit status 1", log=stderr)
    error.status, error.stderr = 1, stderr
    return error


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        ("repomd.xml GPG signature verification error: Bad GPG signature", "does not match its signature"),
        ("GPG verification is enabled, but GPG signature is not available.", "has no signature"),
        (
            "Yum repo downloading error: Downloading error(s): repodata/p.xml.gz - Cannot",
            "has a part that is not what",
        ),
        ("Cannot download repomd.xml: Cannot download repodata/repomd.xml", "cannot be read"),
    ],
)
def test_a_changed_index_is_one_error_that_names_the_repository(output: str, problem: str) -> None:
    error = repository_error(dnf_failed(f"{FAILED} 'standin': {output}"), LOCAL)
    assert error is not None
    assert error.message.startswith(f"repository 'standin': its index (repodata) {problem}")
    assert "remove /cache/content/1" in error.hint


def test_a_changed_package_is_one_error_that_names_it() -> None:
    output = 'Package "one-1-1.noarch" from local repository "standin" has incorrect checksum'
    error = repository_error(dnf_failed(output), LOCAL)
    assert error is not None
    assert error.message.startswith("repository 'standin': package one-1-1.noarch is not")


@pytest.mark.parametrize("output", [f"{FAILED} 'fedora': Bad GPG signature", "Error: Unable to find a match: bahs"])
def test_other_errors_of_dnf_are_not_changed(output: str) -> None:
    error = dnf_failed(output)
    assert repository_error(error, LOCAL) is error
    assert error.log == output


@pytest.mark.parametrize("password", ["secret", "sec@ret", "s:e@c@ret"])
def test_no_error_has_the_password_of_a_repository(password: str) -> None:
    error = dnf_failed(f"Status code: 401 for https://me:{password}@a.example/me@b/key (IP: ::1)")
    repository_error(error, LOCAL)
    assert error.log == error.stderr == "Status code: 401 for https://a.example/me@b/key (IP: ::1)"


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        (
            "Errors during downloading metadata for repository 'fedora':\n  - Status code: 404 for https://a\n"
            f"Error: {FAILED[7:]} 'fedora': Cannot download repomd.xml: All mirrors were tried",
            ": repository 'fedora': Status code: 404 for https://a",
        ),
        (f"{FAILED} 'fedora': Bad repomd file", ": repository 'fedora': Bad repomd file"),
        ("Error: no space", ""),
    ],
)
def test_the_reason_is_that_of_the_last_mirror(output: str, problem: str) -> None:
    assert index_problem(output) == problem
