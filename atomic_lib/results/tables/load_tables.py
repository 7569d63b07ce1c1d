"""The CSV tables of a run as pandas tables, with the data types of their columns."""

from pathlib import Path
from typing import TYPE_CHECKING

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.tables.csv_columns import column_of
from atomic_lib.results.tables.csv_tables import csv_headers
from atomic_lib.results.tables.csv_updates import update_headers

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]


def load_tables(run_directory: Path) -> "dict[str, pandas.DataFrame]":
    """Every table of a run by its name without ``.csv``; what was not measured is NA. Without updates it has no tables
    of them.

    Raises WorkbookError naming the file that is missing or damaged.
    """
    lacking = [name for name in update_headers() if not (run_directory / name).exists()]
    tables = {name: names for name, names in csv_headers().items() if name not in lacking}
    return {name.removesuffix(".csv"): _load(run_directory / name, names) for name, names in tables.items()}


def _load(path: Path, names: tuple[str, ...]) -> "pandas.DataFrame":
    import pandas

    dtypes = {name: column_of(path.stem, name).dtype for name in names}
    moments = [name for name, dtype in dtypes.items() if dtype.startswith("datetime")]
    plain = {name: "string" if name in moments else dtype for name, dtype in dtypes.items()}
    try:
        table = pandas.read_csv(path, dtype=plain, keep_default_na=False, na_values=[""])
        if tuple(table.columns) != names:
            raise ValueError(f"its columns are {', '.join(table.columns)}, not {', '.join(names)}")
        for name in moments:
            table[name] = pandas.to_datetime(table[name], utc=True, format="ISO8601").astype(dtypes[name])
    except FileNotFoundError:
        raise WorkbookError(
            f"{path}: no such file", hint="make a run first: ./workbook run; or give the directory of another run"
        ) from None
    except (OSError, ValueError) as error:
        raise WorkbookError(
            f"{path}: not a table of this version of the workbook: {error}", hint="make a new run: ./workbook run"
        ) from None
    return table
