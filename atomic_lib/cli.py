"""The command line: what ./workbook accepts, and what an error looks like."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT
from atomic_lib.base.progress import say
from atomic_lib.base.signals import unwind


def main(words: Sequence[str]) -> int:
    """Run one command; the exit status: 0 well, 1 failed, 2 wrong words, 130 or 143 stopped from outside."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, unwind)
    try:
        # Everything behind "test" belongs to pytest, also what looks like an option of ours.
        if words[:1] == ["test"]:
            return _test(words[1:])
        options = _parser().parse_args(words)
        return int(options.call(options))
    except WorkbookError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./workbook", allow_abbrev=False)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(commands.add_parser("run", help="compose, build, boot and compare the variants of a study"))
    _add_question(
        commands.add_parser("why", help="why a package is in a variant"), "PACKAGE", "a package's name", 1, _why
    )
    _add_question(
        commands.add_parser("without", help="what would leave a variant if packages were not installed"),
        "PACKAGE", "a name, a shell pattern, @group or class:NAME", "+", _without,
    )  # fmt: skip
    equality = commands.add_parser(
        "equality", help="is the ostree tree the traditional file system? two images compared"
    )
    equality.add_argument("--boot", action="store_true", help="boot both once, too, and compare what that made")
    equality.set_defaults(call=_equality)
    _add_verify(commands.add_parser("verify", help="build variants twice under hostile differences, and compare"))
    commands.add_parser("test", help="the tests; further arguments go to pytest", add_help=False)
    lab = commands.add_parser("lab", help="JupyterLab on the notebooks, on 127.0.0.1")
    lab.set_defaults(call=_lab)
    doctor = commands.add_parser("doctor", help="what is here, what is missing, and what brings it")
    doctor.set_defaults(call=_doctor)
    _add_clean(commands.add_parser("clean", help="what each part takes on disk, and removal of it"))
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", nargs="?", default="default", help="params/studies/STUDY.yaml")
    parser.add_argument(
        "--variant", action="append", default=[], metavar="NAME", help="only this variant of the study; repeatable"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a parameter for every variant; repeatable"
    )
    parser.add_argument("--lock", metavar="FILE", help="rebuild from exactly these packages; with one --variant")
    parser.set_defaults(call=_run)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "variants",
        nargs="*",
        metavar="VARIANT",
        help="a name in params/variants; none: the default study's variants",
    )
    parser.add_argument("--lock", metavar="FILE", default="", help="build from exactly these packages; one VARIANT")
    parser.set_defaults(call=_verify)


def _add_question(
    parser: argparse.ArgumentParser, what: str, help: str, count: int | str, call: Callable[[argparse.Namespace], int]
) -> None:
    parser.add_argument("packages", nargs=count, metavar=what, help=help)
    parser.add_argument(
        "--variant", default="atomic-min", metavar="NAME", help="a name in params/variants (atomic-min)"
    )
    parser.set_defaults(call=call)


def _add_clean(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("parts", nargs="*", metavar="PART", help="builds, runs, cache, environment or all; none: show")
    parser.add_argument("--yes", action="store_true", help="remove without asking")
    parser.set_defaults(call=_clean)


def _run(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.study import run_study

    if options.lock and len(options.variant) != 1:
        raise WorkbookError("--lock: a lock belongs to one variant", hint="name it: --variant NAME --lock FILE")
    overrides = parse_overrides(options.set)
    if options.lock:
        overrides["lock"] = str(Path(options.lock).absolute())
    return run_study(options.study, variants=tuple(options.variant), overrides=overrides)


def _verify(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.verify.verify import verify

    if options.lock and len(options.variants) != 1:
        raise WorkbookError("--lock: a lock belongs to one variant", hint="name it: verify VARIANT --lock FILE")
    return verify(options.variants, lock=options.lock)


def _why(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.package_questions import print_why

    return print_why(options.packages[0], options.variant)


def _without(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.package_questions import print_without

    return print_without(options.packages, options.variant)


def _equality(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.equality import run_equality

    return run_equality(boot=options.boot)


def parse_overrides(assignments: Sequence[str]) -> dict[str, Any]:
    """``KEY=VALUE`` words as parameters; a value is read as YAML, as in a parameter file.

    Raises WorkbookError naming the word that is no assignment.
    """
    overrides = {}
    for word in assignments:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise WorkbookError(f"--set {word}: must be KEY=VALUE", hint="for example --set boots_bios=3")
        try:
            overrides[key] = yaml.safe_load(value) if value else ""
        except yaml.YAMLError:
            raise WorkbookError(f"--set {word}: the value is no YAML scalar", hint="quote it") from None
    return overrides


def _test(words: Sequence[str]) -> NoReturn:
    os.chdir(CHECKOUT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *words])


def _lab(_: argparse.Namespace) -> NoReturn:
    words = [f"--ServerApp.root_dir={CHECKOUT / 'notebooks'}", "--ServerApp.ip=127.0.0.1"]
    if os.geteuid() == 0:
        words.append("--allow-root")
    else:
        say("A notebook that composes needs root: sudo ./workbook lab")
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        say("No display here: open the address that is printed below.")
        words.append("--no-browser")
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *words])


def _doctor(_: argparse.Namespace) -> int:
    from atomic_lib.base.paths import cache_directory
    from atomic_lib.tools.doctor import examine, table

    findings = examine(cache_directory(), BUILD)
    print(table(findings))
    return 0 if all(finding.state != "missing" for finding in findings) else 1


def _clean(options: argparse.Namespace) -> int:
    from atomic_lib.base.paths import cache_directory
    from atomic_lib.tools.clean import clean

    return clean(CHECKOUT, cache_directory(), tuple(options.parts), confirmed=options.yes)
