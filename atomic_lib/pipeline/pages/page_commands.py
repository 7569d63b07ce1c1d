"""The parsers of the commands that execute one notebook and write its page, and their calls."""

import argparse
from typing import Any

from atomic_lib.pipeline.schedule.schedule_commands import whole_number


def add_page_commands(commands: Any) -> None:
    """Add the parsers of the commands to argparse's sub-parsers; each sets ``call``, which runs the command."""
    equality = commands.add_parser(
        "equality", help="compare the file systems of an ostree and a traditional image of the same packages"
    )
    equality.add_argument("--boot", action="store_true", help="also boot both images once and compare the results")
    equality.set_defaults(call=_equality)
    _add_update(
        commands.add_parser("update", help="update one guest to a version 2, and roll it back (run update: compare)")
    )
    _add_power_cuts(commands.add_parser("power-cuts", help="check what power cuts during an upgrade leave behind"))
    _add_layers(commands.add_parser("layers", help="update a host as container images in layers, over versions"))
    container = commands.add_parser("container", help="run a service in a container of the host's own RPM files")
    container.add_argument(
        "--variant", default="atomic-min", metavar="NAME", help="with a container runtime (atomic-min)"
    )
    container.add_argument("--swarm", action="store_true", help="with Docker: also from a swarm of one node")
    container.set_defaults(call=_container)
    _add_release_notes(
        commands.add_parser("release-notes", help="write the release notes of an image of a finished run")
    )


def _add_release_notes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--study", default="default", metavar="NAME", help="of its latest run (default)")
    parser.add_argument(
        "--run", default="", metavar="RUN", help="of this run in build/runs, not of the study's latest one"
    )
    parser.add_argument("--variant", default="atomic-min", metavar="NAME", help="a variant of the run (atomic-min)")
    parser.add_argument("--since", default="", metavar="RUN", help="also say what changed since this earlier run")
    parser.set_defaults(call=_release_notes)


def _add_update(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--variant",
        metavar="NAME",
        help="a variant with ostree (atomic-min; with --break atomic-min-return), or with dnf",
    )
    version_2 = parser.add_mutually_exclusive_group()
    version_2.add_argument(
        "--change",
        action="append",
        metavar="NAME",
        help="what version 2 changes: a name, kernel, or lock:FILE, whose packages it has; from:FILE: version 1 has "
        "the packages of this one; repeatable (package, config)",
    )
    version_2.add_argument(
        "--break",
        action="append",
        dest="faults",
        metavar="NAME",
        help="instead, a version 2 that has to go back to version 1 by itself: unit, kernel-argument, kernel-panic or "
        "docker; nothing: one that must not; repeatable; all: each of them",
    )
    version_2.add_argument(
        "--refuse",
        action="append",
        dest="cases",
        metavar="NAME",
        help="instead, updates with a fault, which version 1 has to refuse, or to resume once the fault is gone: "
        "unsigned, older, dies, full-disk and others; repeatable; all: each of them",
    )
    parser.set_defaults(call=_update)


def _add_power_cuts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--variant", default="atomic-min", metavar="NAME", help="an ostree variant (atomic-min)")
    parser.add_argument(
        "--states", type=whole_number, default=1000, metavar="N", help="about how many states of each recording (1000)"
    )
    parser.add_argument("--boots", type=int, default=2, metavar="N", help="how many states to boot (2)")
    parser.add_argument(
        "--packages",
        default="cloud-docker",
        metavar="NAME",
        help="a traditional variant, of which an update by dnf is cut, too (cloud-docker); empty: none",
    )
    parser.set_defaults(call=_power_cuts)


def _add_layers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--variant", default="atomic-min", metavar="NAME", help="an ostree variant (atomic-min)")
    parser.add_argument(
        "--versions", type=whole_number, default=5, metavar="N", help="how many versions, with the first (5)"
    )
    parser.add_argument(
        "--packages", type=whole_number, default=5, metavar="N", help="how many packages each update rebuilds (5)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which packages are drawn (1)")
    parser.set_defaults(call=_layers)


def _equality(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.equality import run_equality

    return run_equality(boot=options.boot)


def _update(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.update.update_run import run_refusals, run_returns, run_update

    if options.faults:
        return run_returns(options.variant or "atomic-min-return", " ".join(options.faults))
    if options.cases:
        return run_refusals(options.variant or "atomic-min", " ".join(options.cases))
    return run_update(options.variant or "atomic-min", " ".join(options.change or ("package", "config")))


def _power_cuts(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.update.power_cuts_run import run_power_cuts

    return run_power_cuts(options.variant, options.states, options.boots, options.packages)


def _layers(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.layers.layers_run import ChainQuestion, run_layers

    return run_layers(ChainQuestion(options.variant, options.versions, options.packages, options.seed))


def _container(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.containers.service_run import run_service

    return run_service(options.variant, swarm=options.swarm)


def _release_notes(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.release.release_run import NotesRequest, run_release_notes

    return run_release_notes(NotesRequest(options.study, options.variant, options.run, options.since))
