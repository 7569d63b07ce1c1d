"""Opens content: provides repositories that dnf can resolve and install from."""

import re
from collections.abc import Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.base.store import file_sha256, key_of
from atomic_lib.content.agent_repository import AGENT, AGENT_PACKAGE, AGENT_REQUIRES, agent_repository
from atomic_lib.content.comps import Comps, read_comps
from atomic_lib.content.definition import DebianContent, RepositoryContent, load_definition
from atomic_lib.content.demand import Demand, MissingPackage
from atomic_lib.content.dnf import (
    CHANGED_PART,
    DNF_CACHE,
    DNF_DIRECTORY,
    changed_repository,
    dnf_configuration,
    index_problem,
    repository_error,
)
from atomic_lib.content.local_rpms import (
    LOCAL,
    PACKAGE_KEYS,
    LocalRepository,
    has_local_repository,
    local_repository_of,
)
from atomic_lib.content.signing import KEY_FILE
from atomic_lib.content.standin.standin_repository import has_standin_repository, standin_repository
from atomic_lib.content.yum_repository import KEY_FILES, YumRepository
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools

REPOSITORIES = "/mnt/repos"
_AGENT = "workbook"


@dataclass(frozen=True)
class Content:
    """Where packages come from, ready to use. ``key`` changes with the packages that it provides."""

    name: str
    title: str
    key: str
    releasever: str
    kernel_arguments: str
    selinux_policy: str
    repo_text: str = field(repr=False)
    """The yum repository configuration."""
    local: Mapping[str, Path]
    """The directories of local repositories by id."""
    remote: bool
    """Whether a repository needs the network."""
    dnf_cache: Path | None
    """The directory of downloaded repository indexes; None if all repositories are local."""
    missing: tuple[MissingPackage, ...] = ()
    """What the recipe names and this content has no counterpart for: only stand-in content leaves packages out."""
    stands_in: bool = False
    """Whether it is stand-in content, which has repositories of its own only."""

    @property
    def binds(self) -> list[Bind]:
        """The binds of the local repositories, for commands that run dnf."""
        return [Bind(path, f"{REPOSITORIES}/{name}") for name, path in self.local.items()]

    def comps(self, tools: Tools) -> list[Comps]:
        """The package groups of all repositories.

        Raises WorkbookError if the groups of a local repository were changed.
        """
        files = [file for name in self.local for file in self._local_comps(name)]
        indexes = fetched_indexes(self.dnf_cache, self.repo_ids) if self.dnf_cache else []
        files += [file for index in indexes for file in sorted(index.glob("*comps*.xml*"))]
        texts = [tools.run(["zstd", "-dcf", "/mnt/comps"], binds=[Bind(file, "/mnt/comps")]).stdout for file in files]
        return [read_comps(text, file.name) for text, file in zip(texts, files, strict=True)]

    def _local_comps(self, name: str) -> list[Path]:
        """The group files of a local repository. The name of each starts with its sha256, which repomd.xml signs."""
        files = sorted(self.local[name].rglob("*comps*.xml*"))
        if any(file_sha256(file) != file.name.partition("-")[0] for file in files):
            raise changed_repository(name, self.local[name], CHANGED_PART)
        return files

    @property
    def key_urls(self) -> list[str]:
        """The URLs of the remote repositories' public keys that are files, with $releasever substituted.

        Others were fetched with the packages that they signed, and are beside these.
        """
        parsed = _parse_repos(self.repo_text, "repositories")
        remote = [section for name, section in parsed.items() if name not in (*self.local, parsed.default_section)]
        urls = [url for section in remote for url in section["gpgkey"].replace("$releasever", self.releasever).split()]
        return list(dict.fromkeys(url for url in urls if url.startswith("file:")))

    @property
    def repo_ids(self) -> list[str]:
        """The ids of all repositories."""
        return _parse_repos(self.repo_text, "repositories").sections()


def open_content(name: str, context: Context, demand: Demand, params: Path = PARAMS_DIRECTORY) -> Content:
    """The content ``params/content/NAME.yaml``; builds stand-in content, and fetches the indexes of repositories.

    Stand-in content has the packages of ``demand`` and their dependencies. Content that consists of repositories also
    has those that a recipe brings along, in place of its own of the same name.

    Raises WorkbookError if the content is unknown, a mirror cannot be reached, a signature is bad, the disk is too
    full, the demand is strict and stand-in content has no package of a name, or it asks for an older package that is
    not there.
    """
    definition = load_definition(name, params)
    agent = agent_repository(context)
    own = local_repository_of(demand.local, context) if demand.local else None
    always = _always(agent, own)
    if isinstance(definition, DebianContent):
        elsewhere, wanted = _elsewhere(demand, agent, own)
        standin = standin_repository(definition, wanted, params, context, elsewhere=elsewhere)
        local, missing = {"standin": standin.path, **always}, standin.missing
        text = _texts_of(local)
        key = key_of({name: _repository_key(path) for name, path in local.items()})
    else:
        _require_newest(demand, name)
        local, missing = always, ()
        _require_key_files(demand.repositories, context.tools, definition.releasever)
        text = with_brought(_repo_file(definition, params), demand.repositories) + _texts_of(local)
        remote = _remote_key(context, definition, text, local)
        # the index of a repository does not say which of its packages are excluded, or what it costs
        brought = [asdict(replace(one, source="")) for one in demand.repositories]
        more = {"brought": brought} if brought else {}
        key = key_of({name: _repository_key(path) for name, path in local.items()} | {"remote": remote, **more})
    return Content(
        name=name,
        title=definition.title,
        key=key,
        releasever=definition.releasever,
        kernel_arguments=definition.kernel_arguments,
        selinux_policy=definition.selinux_policy,
        repo_text=text,
        local=local,
        remote=isinstance(definition, RepositoryContent),
        dnf_cache=_dnf_cache(context.cache, definition, text) if isinstance(definition, RepositoryContent) else None,
        missing=missing,
        stands_in=isinstance(definition, DebianContent),
    )


def _require_newest(demand: Demand, name: str) -> None:
    if demand.older:
        raise WorkbookError(
            f"content {name!r}: an older package of {', '.join(demand.older)} is found in stand-in content only",
            hint="take the packages of version 1 from a lock of an earlier run: --change from:FILE",
        )


def content_without_packages(name: str) -> Content:
    """The content ``params/content/NAME.yaml`` for a commit that has its packages already: nothing is built or fetched.

    Raises WorkbookError if the content is unknown.
    """
    definition = load_definition(name)
    return Content(
        name=name,
        title=definition.title,
        key="",
        releasever=definition.releasever,
        kernel_arguments=definition.kernel_arguments,
        selinux_policy=definition.selinux_policy,
        repo_text="",
        local={},
        remote=False,
        dnf_cache=None,
    )


def has_content(name: str, context: Context, demand: Demand, params: Path = PARAMS_DIRECTORY) -> bool:
    """Whether ``open_content`` would find the content in the cache, and so neither build nor download it.

    The indexes of repositories are compared with their mirrors all the same. Raises WorkbookError if the content is
    unknown.
    """
    definition = load_definition(name, params)
    agent = AGENT.stored(None, context)
    if agent is None:
        return False
    if demand.local and not has_local_repository(demand.local, context):
        return False
    own = local_repository_of(demand.local, context) if demand.local else None
    if isinstance(definition, DebianContent):
        elsewhere, wanted = _elsewhere(demand, agent.path, own)
        return has_standin_repository(definition, wanted, params, context, elsewhere=elsewhere)
    text = with_brought(_repo_file(definition, params), demand.repositories) + _texts_of(_always(agent.path, own))
    return _dnf_cache(context.cache, definition, text).is_dir()


def _parse_repos(text: str, source: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except ConfigError as error:
        raise WorkbookError(f"{source}: not a repository file: {' '.join(str(error).split())}") from None
    return parser


def _dnf_cache(cache: Path, definition: RepositoryContent, repo_text: str) -> Path:
    """The cache directory for the indexes of exactly these repositories."""
    key = key_of({"repositories": repo_text, "releasever": definition.releasever})
    return cache / "dnf" / f"{definition.content}-{key}" / "cache"


def _texts_of(local: Mapping[str, Path]) -> str:
    keys = {name: [key for key in (KEY_FILE, PACKAGE_KEYS) if (path / key).is_file()] for name, path in local.items()}
    return "".join(local_repository(name, keys[name]) for name in local)


def local_repository(name: str, keys: Sequence[str] = (KEY_FILE,)) -> str:
    """The yum configuration of a local repository; dnf checks packages and index with the repository's own keys."""
    url = f"file://{REPOSITORIES}/{name}"
    lines = (f"[{name}]", f"name={name}", f"baseurl={url}", "enabled=1", "gpgcheck=1", "repo_gpgcheck=1")
    return "\n".join(lines) + f"\ngpgkey={' '.join(f'{url}/{key}' for key in keys)}\n\n"


def _repo_file(definition: RepositoryContent, params: Path) -> str:
    path = params / "repos" / definition.repo_file
    if not path.is_file():
        raise WorkbookError(
            f"{path}: no such file; repo_file of params/content/{definition.content}.yaml names it",
            hint="correct repo_file, or add the repository file",
        )
    text = path.read_text()
    for name, section in _parse_repos(text, str(path)).items():
        checked = section.get("gpgcheck", "").lower() in ("1", "yes", "true", "on")
        if name != "DEFAULT" and not (checked and section.get("gpgkey")):
            raise WorkbookError(
                f"{path}: [{name}]: packages are only installed when their signature is checked",
                hint="set gpgcheck=1, and gpgkey= to the address of the key",
            )
    return text.rstrip() + "\n\n"


def _always(agent: Path, own: LocalRepository | None) -> dict[str, Path]:
    """The directories of the repositories that every content has, by id."""
    return {_AGENT: agent} | ({LOCAL: own.path} if own else {})


def _elsewhere(demand: Demand, agent: Path, own: LocalRepository | None) -> tuple[set[str], Demand]:
    """The names of the packages that stand-in content need not have, and the demand with what these require."""
    names = _names_of_rpms(agent)
    also = set(AGENT_REQUIRES).difference(demand.words) if AGENT_PACKAGE in demand.words else set()
    if own:
        names, also = names | own.names, also | own.requires
    return names, replace(demand, also=tuple(sorted(also)))


def _names_of_rpms(directory: Path) -> set[str]:
    """The names of the packages in a directory: their files are NAME-VERSION-RELEASE.ARCH.rpm."""
    return {path.name.rsplit("-", 2)[0] for path in directory.glob("*.rpm")}


def _require_key_files(brought: Sequence[YumRepository], tools: Tools, releasever: str) -> None:
    """Raise WorkbookError for each key of a repository that is a file, but not one of the tools tree."""
    missing = []
    for one in brought:
        for url in one.gpgkey:
            path = url.replace("$releasever", releasever).replace("$basearch", "x86_64").partition("file://")[2]
            if path and not (tools.root / path.lstrip("/")).is_file():
                missing.append(f"{one.source}: repository {one.name!r}: gpgkey: there is no {path} in the build tools")
    if missing:
        raise WorkbookError(
            "\n".join(missing), hint=f"name a key in file://{KEY_FILES}, which the tools have, or an https address"
        )


def with_brought(repo_text: str, brought: Sequence[YumRepository]) -> str:
    """The text of a repository file with the repositories of a recipe, which replace those of the same name."""
    parsed = _parse_repos(repo_text, "repositories")
    keys = dict.fromkeys(key for name in parsed.sections() for key in parsed[name]["gpgkey"].split())
    added = {repository.name: repository.section(keys) for repository in brought}
    kept = [section for section in re.split(r"^(?=\[)", repo_text, flags=re.M) if _section_name(section) not in added]
    return "".join([*kept, *added.values()])


def _section_name(section: str) -> str:
    found = re.match(r"\[([^\]]*)\]", section)
    return found[1] if found else ""


def _repository_key(path: Path) -> str:
    return file_sha256(path / "repodata/repomd.xml")


def _remote_key(context: Context, definition: RepositoryContent, repo_text: str, local: Mapping[str, Path]) -> str:
    """Fetch the indexes of the remote repositories and return their key.

    Raises WorkbookError if a mirror cannot be reached.
    """
    fetched = _dnf_cache(context.cache, definition, repo_text)
    config = fetched.with_name("config")
    for directory in (fetched, config):
        directory.mkdir(parents=True, exist_ok=True)
    (config / "dnf.conf").write_text(dnf_configuration())
    write_text(config / "all.repo", repo_text, 0o600)  # which may have a password
    binds = [Bind(config, DNF_DIRECTORY), Bind(fetched, DNF_CACHE, writable=True)]
    binds += [Bind(path, f"{REPOSITORIES}/{name}") for name, path in local.items()]
    words = ["dnf", "-c", f"{DNF_DIRECTORY}/dnf.conf", f"--releasever={definition.releasever}", "-y",
             "--refresh", "makecache"]  # fmt: skip
    try:
        with context.shared.locked("dnf", fetched.parent.name):
            context.tools.run(words, binds=binds, network=True, timeout_seconds=600)
    except CommandError as error:
        cause = repository_error(error, local)
        if cause is not error:
            raise cause from None
        problem = index_problem(error.stderr)
        release = re.search(r"Status code: 404|was not found in metalink", problem)
        check = "whether the mirrors have this release" if release else "the network"
        raise WorkbookError(
            f"content {definition.content!r}: packages cannot be listed ({definition.repo_file}, "
            f"releasever {definition.releasever}){problem}",
            log=error.log,
            hint=f"check {check}, and the repository file, or use stand-in content (content: standin)",
        ) from None
    indexes = fetched_indexes(fetched, _parse_repos(repo_text, "repositories").sections())
    return key_of({index.parent.name: file_sha256(index / "repomd.xml") for index in indexes})


def fetched_indexes(cache: Path, repo_ids: Sequence[str]) -> list[Path]:
    """The indexes (``repodata``) of these repositories in dnf's cache, each in a directory ID-DIGEST.

    The cache can also have a part of one, from a fetch that was killed, and that of a host for its container image.
    """
    return sorted(index for index in cache.glob("*/repodata") if index.parent.name.rpartition("-")[0] in repo_ids)
