"""How well a counted boot repeats.

    python -m benchmarks.counted_spread build/store/image/KEY --output build/counted

Four groups of boots of one image, one guest at a time: ``quiet`` and ``loaded`` (with a busy loop
on each processor of the host) have the same seed, ``seed`` have different seeds, ``planted`` has
an added unit that executes a known number of instructions. Boots whose result is in the
output directory are not repeated, so an interrupted benchmark resumes.
"""

import argparse
import os
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import Store
from atomic_lib.guest.counted.counted_boot import CountedBoot, CountRequest, count_boot, read_counted_boot
from atomic_lib.guest.counted.counted_difference import counted_difference
from atomic_lib.image.disk import Image, image_in
from atomic_lib.tools import tools_tree
from atomic_lib.tools.context import Context
from atomic_lib.tools.user_namespace import enter, is_inside

PLANTED_UNIT = "planted.service"
_LOAD_LIMIT_SECONDS = "1200"
_LOAD_ADDRESS = 0x400000


def main(words: Sequence[str] | None = None) -> None:
    """Boot, and print the tables."""
    arguments = _parse(words)
    cache, image = cache_directory(), image_in(arguments.image)
    context = Context(tools_tree.open_tools(cache), cache, Store(arguments.image.absolute().parent.parent))
    same = CountRequest()
    plant = replace(same, extra_units={PLANTED_UNIT: planted_unit()},
                    extra_programs={"burn": burner(arguments.instructions)})  # fmt: skip
    planted = _boot(context, image, plant, arguments.output / "planted")
    quiet, loaded = [], []
    for index in range(arguments.boots // 2):
        quiet.append(_boot(context, image, same, arguments.output / f"quiet-{index + 1}"))
        with busy_host(arguments.output / "load.log"):
            loaded.append(_boot(context, image, same, arguments.output / f"loaded-{index + 1}"))
    seeds = [quiet[0]]
    for seed in range(2, arguments.seeds + 1):
        seeds.append(_boot(context, image, replace(same, seed=seed), arguments.output / f"seed-{seed}"))
    print(report(Spread([*quiet, *loaded], seeds, planted), arguments.instructions))


def planted_unit() -> str:
    """A service that runs ``burn`` once."""
    return "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/run/counted/burn\n"


def burner(instructions: int) -> bytes:
    """A static x86-64 program that executes this many instructions (within 4) in user space and exits.

    ELF: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
    """
    code = b"\x48\xc7\xc1" + struct.pack("<i", instructions // 2)  # mov rcx, count
    code += b"\x48\xff\xc9" + b"\x75\xfb"  # dec rcx; jnz back to it
    code += b"\x31\xff" + b"\xb8\x3c\x00\x00\x00" + b"\x0f\x05"  # exit(0)
    size = 64 + 56 + len(code)
    entry = _LOAD_ADDRESS + 64 + 56
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, 0x1000)
    return header + segment + code


@contextmanager
def busy_host(log: Path) -> Iterator[None]:
    """Keep every processor of the host busy while the block runs."""
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            loop = ["timeout", _LOAD_LIMIT_SECONDS, "sh", "-c", "while :; do :; done"]
            stack.enter_context(command.running(loop, log=log))
        yield


def spread_percent(values: Sequence[float]) -> float:
    """Largest minus smallest, in percent of the median."""
    return 100 * (max(values) - min(values)) / sorted(values)[len(values) // 2]


@dataclass(frozen=True)
class Spread:
    """The boots of the benchmark: with the ``same`` seed, with different ``seeds``, and with the ``planted`` unit."""

    same: Sequence[CountedBoot]
    seeds: Sequence[CountedBoot]
    planted: CountedBoot


def report(spread: Spread, instructions: int) -> str:
    """The tables, as Markdown; ``instructions`` are those of the planted unit."""
    same, seeds, planted = spread.same, spread.seeds, spread.planted
    pairs = [(same[i], same[j]) for i in range(len(same)) for j in range(i)]
    chance = [(seeds[i], seeds[j]) for i in range(len(seeds)) for j in range(i)]
    lines = ["| boots | n | busy, counted s | spread, % | largest spread of a unit, ms | false alarms |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name, boots, couples in (("same seed", same, pairs), ("different seeds", seeds, chance)):
        busy = [boot.busy_seconds for boot in boots]
        alarms = sum(bool(counted_difference(a, b).costs) for a, b in couples)
        lines.append(f"| {name} | {len(boots)} | {min(busy):.6f} to {max(busy):.6f} | {spread_percent(busy):.4f} |"
                     f" {widest_unit(boots)} | {alarms} of {len(couples)} pairs |")  # fmt: skip
    found = counted_difference(same[0], planted)
    cost = dict((unit.unit, unit.cpu_seconds) for unit in planted.units).get(PLANTED_UNIT)
    lines += ["", f"Planted: {instructions / 1e9:.3f} counted s; the unit's row: {cost}; busy time"
              f" {planted.busy_seconds - same[0].busy_seconds:+.6f} s. Findings:",
              *(f"- {cost}" for cost in found.costs)]  # fmt: skip
    return "\n".join(lines)


def widest_unit(boots: Sequence[CountedBoot]) -> str:
    """The unit whose cost differs most between boots."""
    rows = [{unit.unit: unit.cpu_seconds for unit in boot.units} for boot in boots]
    names = set().union(*rows)
    spreads = {name: max(r.get(name, 0.0) for r in rows) - min(r.get(name, 0.0) for r in rows) for name in names}
    widest = max(sorted(names), key=lambda name: spreads[name])
    return f"{1e3 * spreads[widest]:.3f} ({widest})"


def _boot(context: Context, image: Image, request: CountRequest, directory: Path) -> CountedBoot:
    result = directory / "counted.json"
    if not result.is_file():
        started = time.monotonic()
        boot = count_boot(context, image, request, directory)
        wall_seconds = time.monotonic() - started
        result.write_text(boot.model_dump_json(indent=1) + "\n")
        print(f"{directory.name}: {boot.busy_seconds:.6f} counted s, {wall_seconds:.1f} s", file=sys.stderr)
    return read_counted_boot(result)


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path, help="directory of an image in the store")
    parser.add_argument("--output", type=Path, default=Path("build/counted"))
    parser.add_argument("--boots", type=int, default=10, help="boots with the same seed, half of them on a loaded host")
    parser.add_argument("--seeds", type=int, default=5, help="boots with different seeds")
    parser.add_argument("--instructions", type=int, default=195_000_000, help="instructions of the planted unit")
    arguments = parser.parse_args(words)
    if arguments.boots < 2 or arguments.seeds < 1:
        parser.error("at least 2 boots and 1 seed")
    return arguments


if __name__ == "__main__":
    if is_inside():
        main()
    else:
        enter([sys.executable, "-m", "benchmarks.counted_spread", *sys.argv[1:]])
