"""Asks an ostree remote for the commit of a ref, and pulls it. Nothing of a remote is trusted: each object is checked.

Source of the formats: ostree.repo-config(5), and ostree-pull(1).
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

from atomic_lib.base.command import last_lines
from atomic_lib.base.errors import WorkbookError, full_disk_of_command
from atomic_lib.compose.pulled.commit_limits import CommitLimits
from atomic_lib.recipe.recipe import OstreeSource
from atomic_lib.tools.sandbox import Bind, Tools

_REPO, _REMOTE, _KEYS = "/mnt/repo", "/mnt/remote", "/mnt/keys.asc"
_FILE = "file://"
_POLL_SECONDS, _LOOK_SECONDS = 0.05, 1.0
PULL_SECONDS = 7200.0
"""How long a commit may take."""
ANSWER_SECONDS = 300.0
"""How long a remote may take to say which commit a ref names."""
_REASONS: tuple[tuple[str, str, str], ...] = (
    (r"no signatures found|Can't check signature|BAD signature|not in trusted keyring|public key not found",
     "its signature is missing, bad or of another key",
     "ostree_key must be the file of the public keys that sign this remote's commits"),
    (r"No such branch|No such metadata object|Refspec .* not found|404", "the remote does not have it",
     "correct --ref, or name another remote in ostree_url"),
    (r"Corrupted|corrupt|checksum expected|Invalid|invalid", "what the remote has is damaged",
     "repair the remote (ostree fsck), or name another one in ostree_url"),
    (r"", "the remote does not answer as one of ostree does",
     "correct --url, or name another remote in ostree_url; with the lock of an earlier build (--lock), a commit that "
     "is stored needs no remote"),
)  # fmt: skip
"""What ostree says, what it means, and what to do."""


@dataclass(frozen=True)
class OstreeRemote:
    """The remote of a commit to deploy; ``keys`` is the file of the public keys that may have signed it, if any.

    ``limits``: how much of a commit is pulled.
    """

    tools: Tools
    source: OstreeSource
    keys: Path | None
    limits: CommitLimits = field(default_factory=CommitLimits)

    @property
    def url(self) -> str:
        """Where the commit is pulled from."""
        return self.source.pulled_from or self.source.url

    def commit_of_ref(self, scratch: Path) -> str:
        """The checksum of the commit that the ref names now; ``scratch`` is an empty directory.

        Raises WorkbookError as ``pull`` does.
        """
        self._pull(scratch, self.source.ref, ["--commit-metadata-only", "--depth=0"], ANSWER_SECONDS)
        words = ["ostree", "rev-parse", f"--repo={_REPO}", f"{self.source.remote}:{self.source.ref}"]
        return self.tools.run(words, binds=[Bind(scratch, _REPO)]).stdout.strip()

    def pull(self, repo: Path, commit: str) -> None:
        """Pull a commit of the ref into ``repo``, an empty directory; there it has the ref, and no remote is known.

        The repository keeps owners, modes and labels as data, as that of a composed tree.

        Raises WorkbookError if the remote cannot be reached, it has no such ref or commit, the signature is not that
        of a known key, an object is not what its checksum says, or the commit exceeds a limit.
        """
        source, binds = self.source, [Bind(repo, _REPO, writable=True)]
        self._pull(repo, f"{source.ref}@{commit}", ["--untrusted"])
        for words in (["refs", f"--create={source.ref}", commit],
                      ["refs", "--delete", f"{source.remote}:{source.ref}"],
                      ["remote", "delete", source.remote]):  # fmt: skip
            self.tools.run(["ostree", words[0], f"--repo={_REPO}", *words[1:]], binds=binds, rights="root")

    def _pull(self, repo: Path, ref: str, options: Sequence[str], timeout_seconds: float = PULL_SECONDS) -> None:
        source, binds = self.source, [Bind(repo, _REPO, writable=True)]
        url = self.url
        if url.startswith(_FILE):
            directory = Path(unquote(url.removeprefix(_FILE)))
            if not (directory / "objects").is_dir():
                hint = "correct --url, or set ostree_url; a home directory of root is not seen in the namespace"
                raise self._error("there is no ostree repository at this path", hint)
            binds.append(Bind(directory, _REMOTE))
            url = f"{_FILE}{_REMOTE}"
        if self.keys:
            binds.append(Bind(self.keys, _KEYS))
        own = f"--repo={_REPO}"
        self.tools.run(["ostree", "init", own, "--mode=bare-user"], binds=binds, rights="root")
        checks = [f"--set=gpgkeypath={_KEYS}"] if source.verified else ["--no-gpg-verify"]
        self.tools.run(["ostree", "remote", "add", own, *checks, source.remote, url], binds=binds, rights="root")
        words = ["ostree", "pull", own, "--disable-fsync", *options, source.remote, ref]
        said = self._run_limited(words, repo, binds, timeout_seconds)
        if said is not None:
            if full := full_disk_of_command("ostree", said, [repo]):
                raise full
            _, reason, hint = next(one for one in _REASONS if re.search(one[0], said))
            raise self._error(reason, hint, last_lines(said))

    def _run_limited(
        self, words: Sequence[str], repo: Path, binds: Sequence[Bind], timeout_seconds: float
    ) -> str | None:
        """Run a command that pulls into ``repo``, which is looked at meanwhile; what it said if it failed, or None."""
        place, network = f"{self.source.source}: {self.source.ref}", not self.url.startswith(_FILE)
        with TemporaryDirectory() as scratch:
            log = Path(scratch, "log")
            with self.tools.running(words, log=log, binds=binds, rights="root", network=network) as process:
                end = started = time.monotonic()
                while process.poll() is None:
                    if time.monotonic() - started > timeout_seconds:
                        raise self._error(f"it took more than {timeout_seconds:g} s", "name another one in ostree_url")
                    if time.monotonic() >= end:
                        begun = time.monotonic()
                        self.limits.require(repo, place)
                        end = time.monotonic() + max(_LOOK_SECONDS, 5 * (time.monotonic() - begun))
                    time.sleep(_POLL_SECONDS)
            self.limits.require(repo, place)
            return log.read_text(errors="replace") if process.returncode else None

    def _error(self, reason: str, hint: str, log: str = "") -> WorkbookError:
        source = self.source
        place = "a directory (file:)" if self.url.startswith(_FILE) else self.url  # pages show no path
        return WorkbookError(
            f"{source.source}: ostreesetup: {source.ref} could not be pulled from {place}: {reason}",
            log=log,
            hint=hint,
        )
