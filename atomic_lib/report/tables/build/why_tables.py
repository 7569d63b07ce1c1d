"""Tables of "why is it here?" and "what would leave?"."""

from collections.abc import Mapping, Sequence

from atomic_lib.solve.why import Chain, chain_text
from atomic_lib.solve.without import Departure, size_of_departure
from atomic_lib.report.page.elements import Cell, Table, missing, number, plural, quantity

Sizes = Mapping[str, tuple[int, int]]
"""Bytes and files of each package in the composed tree, by name."""

NOT_PREDICTED = (
    "Not predicted: files that the compose itself makes (initramfs, RPM database, ld.so.cache, accounts, links of "
    "enabled units). They change too, and so do the scripts of the recipe."
)


def why_table(name: str, chains: Sequence[Chain]) -> Table:
    """One chain a row, the shortest first."""
    rows = tuple((Cell(_first_word(chain)), number(len(chain), "count"), Cell(chain_text(chain))) for chain in chains)
    records = tuple(
        {"package": name, "chain": place, "step": step, "kind": link.kind, "to": link.package, "by": link.capability}
        for place, chain in enumerate(chains, start=1)
        for step, link in enumerate(chain, start=1)
    )
    caption = f"Why {name} is here: {plural(len(chains), 'chain')}, the shortest first"
    empty = "Nothing that the recipe names asks for it."
    return Table(caption, ("entry", "links", "chain"), rows, records, empty=empty)


def departure_table(departure: Departure, sizes: Sizes) -> Table:
    """The packages that leave, the largest in the tree first, and their sum."""
    ordered = sorted(departure.leaves, key=lambda package: (-sizes.get(package.name, (0, 0))[0], package.name))
    rows = [
        (
            Cell(package.name),
            Cell(f"{package.epoch}:{package.version}-{package.release}.{package.arch}".removeprefix("0:")),
            *_size_cells(sizes.get(package.name)),
            number(package.size_bytes, "bytes"),
        )
        for package in ordered
    ]
    download_bytes = sum(package.size_bytes for package in departure.leaves)
    total = (Cell("all"), Cell(""), *_size_cells(size_of_departure(departure, sizes)), number(download_bytes, "bytes"))
    records = tuple(
        {
            "name": package.name,
            "nevra": package.nevra,
            "bytes": sizes.get(package.name, (None, None))[0],
            "files": sizes.get(package.name, (None, None))[1],
            "download_bytes": package.size_bytes,
        }
        for package in ordered
    )
    caption = f"What leaves without {departure.title}: {plural(len(rows), 'package')}"
    header = ("package", "version", "in the tree", "files", "download")
    return Table(caption, header, (*rows, total), records, notes=(NOT_PREDICTED,), feet=1)


def consequences_table(departure: Departure, generated: tuple[int, int] | None = None) -> Table:
    """What else follows: what comes in, what of the recipe goes along, and what is not predicted.

    ``generated``: bytes and files that no package owns in the tree as it is.
    """
    comes = [f"{package.nevra} ({quantity(package.installed_bytes, 'bytes')})" for package in departure.comes]
    changed = [f"{now} → {then}" for now, then in departure.changed]
    facts = {
        "comes in instead": comes,
        "stays as another build": changed,
        "entries of the recipe that go with it": departure.entries,
        "packages of its groups that go": departure.members,
        "units of the recipe that go": departure.units,
    }
    rows = [(Cell(title), Cell(", ".join(words) or "none")) for title, words in facts.items()]
    now = f"{quantity(generated[0], 'bytes')} in {plural(generated[1], 'file')} now" if generated else "not measured"
    rows.append((Cell("made by the compose, not predicted"), Cell(now)))
    records = tuple({"what": title, "name": word} for title, words in facts.items() for word in words)
    return Table(f"What else changes without {departure.title}", ("", "what"), tuple(rows), records)


def _size_cells(size: tuple[int, int] | None) -> tuple[Cell, Cell]:
    if size is None:
        return missing("not measured"), missing("not measured")
    return number(size[0], "bytes"), number(size[1], "count")


def _first_word(chain: Chain) -> str:
    """What the recipe says that the chain begins with: an entry or a group."""
    return chain[0].capability
