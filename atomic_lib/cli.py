"""The command line of ./workbook: its commands, and how it reports errors."""

import argparse
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT, PARAMS_DIRECTORY
from atomic_lib.base.progress import say
from atomic_lib.base.scrub import without_copies
from atomic_lib.base.signals import Stopped, end_with_parent, unwind
from atomic_lib.pipeline.failures import explained
from atomic_lib.pipeline.pages.page_commands import add_page_commands
from atomic_lib.pipeline.recipe_files.recipe_commands import add_commands
from atomic_lib.pipeline.schedule.schedule_commands import add_schedule_commands, whole_number
from atomic_lib.pipeline.sweep.sweep_commands import add_sweep_commands
from atomic_lib.pipeline.variant_options import (
    add_content_options,
    copies_of,
    overrides_of,
    parse_overrides,
    variant_of,
)
from atomic_lib.tools.user_namespace import outer_root


def recipes_in(options: argparse.Namespace) -> list[str]:
    """The recipes, by path, among the words of a command that name variants or recipes."""
    from atomic_lib.pipeline.recipe_files.own_recipes import is_recipe

    named = options.named(options) if "named" in options else []
    return [word for word in named if is_recipe(word)]


def main(words: Sequence[str], execute: Callable[[Sequence[str]], int] | None = None) -> int:
    """Run one command. Returns the exit status: 0 success, 1 failure, 2 usage error, 128+N: terminated by signal N.

    ``execute``: what runs a further command that this one needs, and returns its status; None: this function.

    SystemExit carries the status 2.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, unwind)
    try:
        # All arguments after "test" go to pytest, including those that look like our own options.
        if words[:1] == ["test"]:
            return _test(words[1:])
        options = command_parser().parse_args(words, argparse.Namespace(words=tuple(words), execute=execute or main))
        return int(options.call(options))
    except WorkbookError as error:
        say(f"error: {without_copies(str(error))}")
        return 1
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is still to be flushed
            return 128 + signal.SIGPIPE
        say(f"error: {explained(error)}")
        return 1
    except Stopped as stop:
        say(f"stopped by {stop.signal.name}")
        return 128 + stop.signal
    except KeyboardInterrupt:
        say("stopped by SIGINT")
        return 128 + signal.SIGINT


def _nobody_reads() -> bool:
    """Whether standard output is a pipe that its reader has closed, as ``head`` does."""
    output = select.poll()
    output.register(1, 0)
    return any(event & select.POLLERR for _, event in output.poll(0))


class _Command(argparse.ArgumentParser):
    """A command, whose options have no abbreviations: some are looked for before it is parsed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)


def command_parser() -> argparse.ArgumentParser:
    """The parser of all commands; ``call`` of what it returns runs one."""
    parser = argparse.ArgumentParser(prog="./workbook", allow_abbrev=False)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=_Command)
    _add_run(commands.add_parser("run", help="compose, build, boot and compare the variants of a study"))
    why = commands.add_parser("why", help="show why a package is in a variant")
    why.add_argument("packages", nargs=1, metavar="PACKAGE", help="a package's name")
    without = commands.add_parser("without", help="show what else a variant loses without some packages")
    without.add_argument("packages", nargs="+", metavar="PACKAGE", help="a name, a shell pattern, @group or class:NAME")
    for question, call in ((why, _why), (without, _without)):
        question.add_argument(
            "--variant",
            default="atomic-min",
            metavar="NAME",
            help="its name, or the path of a recipe (atomic-min)",
        )
        question.set_defaults(call=call, named=lambda options: [options.variant])
        add_content_options(question)
    _add_verify(
        commands.add_parser("verify", help="build variants twice under different conditions and compare the images")
    )
    add_commands(commands)
    add_page_commands(commands)
    add_schedule_commands(commands)
    add_sweep_commands(commands)
    commands.add_parser("test", help="run the tests; further arguments go to pytest", add_help=False)
    lab = commands.add_parser("lab", help="start JupyterLab with the notebooks, to explore choices")
    lab.add_argument("--only-install", action="store_true", help="install JupyterLab, and do not start it")
    lab.set_defaults(call=_lab)
    doctor = commands.add_parser("doctor", help="show what is installed, what is missing, and how to install it")
    doctor.add_argument("--check", action="store_true", help="also compare all stored files with their checksums")
    doctor.set_defaults(call=_doctor)
    _add_clean(commands.add_parser("clean", help="show how much disk space each part uses, or remove parts"))
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "study", nargs="*", default=["default"], help="params/studies/STUDY.yaml, or paths of recipes to compare"
    )
    parser.add_argument(
        "--variant", action="append", default=[], metavar="NAME", help="only this variant of the study; repeatable"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a parameter for every variant; repeatable"
    )
    parser.add_argument(
        "--lock",
        metavar="FILE",
        help="rebuild from exactly these packages, or (a lockfile of rpm-ostree) versions; needs one --variant",
    )
    parser.add_argument("--wait", action="store_true", help="wait until no other run is active")
    parser.add_argument(
        "--if-changed",
        action="store_true",
        help="do nothing if lock, code and parameters are those of the newest run of the study, which was successful, "
        "even if its pages or images are gone",
    )
    parser.add_argument("--keep", type=whole_number, metavar="N", help="then remove old runs, as clean --keep N does")
    parser.add_argument("--publish", metavar="DIR", help="after a successful run, publish the site of all runs as DIR")
    parser.add_argument("--to-be-published", action="store_true", help=argparse.SUPPRESS)  # from ``_run_and_publish``
    parser.set_defaults(call=_run, named=lambda options: options.study)
    add_content_options(parser)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "variants",
        nargs="*",
        metavar="VARIANT",
        help="a name in params/variants, or the path of a recipe; without one: the default study's variants",
    )
    parser.add_argument(
        "--lock",
        metavar="FILE",
        default="",
        help="build from exactly these packages, or (a lockfile of rpm-ostree) versions; needs one VARIANT",
    )
    parser.set_defaults(call=_verify, named=lambda options: dict.fromkeys(options.variants))
    add_content_options(parser)


def _add_clean(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help="damaged, builds, runs, cache, environment or all; without one: show all",
    )
    parser.add_argument(
        "--keep",
        type=whole_number,
        metavar="N",
        help="remove all but the N newest runs of each study, and the stored stages that only they used",
    )
    parser.add_argument("--yes", action="store_true", help="remove without asking")
    parser.add_argument("--wait", action="store_true", help="with --keep: wait until no run is active")
    parser.set_defaults(call=_clean)


def _run(options: argparse.Namespace) -> int:
    return _run_study(options) if options.publish is None else _run_and_publish(options)


def _run_and_publish(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.schedule.publishing import run_and_publish

    words = list(options.words)
    at = next(at for at, word in enumerate(words) if word.partition("=")[0] == "--publish")
    words[at : at + (1 if "=" in words[at] else 2)] = ["--to-be-published"]
    return run_and_publish(words, Path(options.publish).absolute(), options.keep, options.execute)


def _run_study(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.recipe_files.own_recipes import STUDY, study_of_recipes
    from atomic_lib.pipeline.study.study_run import run_study

    if options.to_be_published:
        end_with_parent()  # another user's process loses this when it enters the namespace
    words = options.study
    recipes = recipes_in(options)
    if recipes != words and len(words) > 1:
        raise WorkbookError(f"run: {' '.join(words)}: give one study, or recipes only", hint="./workbook run --help")
    if options.lock and len(recipes or options.variant) != 1:
        raise WorkbookError("--lock: a lock belongs to one variant", hint="name it: --variant NAME --lock FILE")
    overrides = {**overrides_of(options), **parse_overrides(options.set)}
    params = (copies_of(options) or study_of_recipes(recipes)) if recipes else PARAMS_DIRECTORY
    return run_study(
        STUDY if recipes else words[0],
        params=params,
        variants=tuple(options.variant),
        overrides=overrides,
        wait=options.wait,
        if_changed=options.if_changed,
        keep=None if options.to_be_published else options.keep,
        move_link=not options.to_be_published,
    )


def _verify(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.verify.verify import verify

    if options.lock and len(options.variants) != 1:
        raise WorkbookError("--lock: a lock belongs to one variant", hint="name it: verify VARIANT --lock FILE")
    return verify(options.variants, overrides=overrides_of(options), copies=copies_of(options))


def _why(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.why_and_without import print_why

    return print_why(options.packages[0], variant_of(options, options.variant))


def _without(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.why_and_without import print_without

    return print_without(options.packages, variant_of(options, options.variant))


def _test(words: Sequence[str]) -> NoReturn:
    os.chdir(CHECKOUT)
    os.environ["LOGNAME"] = f"workbook-{outer_root()}"  # pytest's directory in /tmp belongs to the user of this name
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each process compiles all tests, each time
    beside = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder", "--durations", "10"]
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *beside, "-m", "not long", *words])


def _lab(options: argparse.Namespace) -> int:
    if options.only_install:  # done by ./workbook
        return 0
    from atomic_lib.pipeline.lab.lab_server import server_environment, server_words, write_kernel

    display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if not display:
        say("There is no display: open the address that is printed below in a browser.")
    write_kernel()
    os.execve(
        sys.executable,
        server_words(display=display, root=os.geteuid() == 0),
        server_environment(os.environ),
    )


def _doctor(options: argparse.Namespace) -> int:
    from atomic_lib.base.paths import cache_directory
    from atomic_lib.content.standin.debs import damaged_downloads
    from atomic_lib.tools.check_files import check_files
    from atomic_lib.tools.doctor import examine, table

    cache = cache_directory()
    findings = examine(cache, BUILD)
    if options.check:
        findings += check_files(cache, BUILD, damaged_downloads(cache / "apt"))
    print(table(findings))
    return 0 if all(finding.state != "missing" for finding in findings) else 1


def _clean(options: argparse.Namespace) -> int:
    from atomic_lib.base.paths import cache_directory
    from atomic_lib.pipeline.schedule.pruning import clean_old
    from atomic_lib.tools.clean import clean

    if options.keep is None:
        return clean(CHECKOUT, cache_directory(), tuple(options.parts), confirmed=options.yes)
    if options.parts:
        raise WorkbookError(
            "clean --keep: removes old runs and what only they used, so it takes no parts", hint="clean --keep 30"
        )
    return clean_old(BUILD, options.keep, confirmed=options.yes, wait=options.wait)
