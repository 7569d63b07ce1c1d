"""Results as files: ``result.json`` per variant, ``results.json`` and CSV tables per run.

Every file is written under another name and renamed, so a reader never sees half of one.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.params.study_file import Study
from atomic_lib.results.study_result import Breach, Factor, FactorCell, PreviousFigures, StudyResult
from atomic_lib.results.tables.csv_tables import csv_texts
from atomic_lib.results.update.update_results import read_updates
from atomic_lib.results.variant_result import SCHEMA_VERSION, VariantResult

RESULT_FILE = "result.json"
RESULTS_FILE = "results.json"

_M = TypeVar("_M", bound=BaseModel)


def write_variant_result(path: Path, result: VariantResult) -> None:
    """Write one variant's ``result.json``."""
    write_text(path, result.model_dump_json(indent=1) + "\n")


def read_variant_result(path: str | Path) -> VariantResult:
    """The content of a ``result.json``; raises WorkbookError naming file and key when it is none."""
    return _read(VariantResult, Path(path))


def read_study_result(run_directory: str | Path) -> StudyResult:
    """The content of a run's ``results.json``; raises WorkbookError naming file and key when it is none."""
    return _read(StudyResult, Path(run_directory) / RESULTS_FILE)


def write_study_results(
    run_directory: Path,
    study: Study,
    variant_results: Sequence[VariantResult],
    *,
    previous: Sequence[PreviousFigures] = (),
    breaches: Sequence[Breach] = (),
    failed_updates: Sequence[str] = (),
    provenance: Mapping[str, JsonValue] | None = None,
) -> StudyResult:
    """Write ``results.json`` and the CSV tables of a run into its directory, those of its updates included.

    The run's id is the directory's name (of what a link like ``latest-STUDY`` points to).
    """
    result = StudyResult(
        study=study.study,
        title=study.title,
        baseline=study.baseline,
        run=run_directory.resolve().name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        variants=tuple(variant_results),
        steps=study.steps,
        factors=_factors(study),
        cells=_cells(study),
        fallbacks=dict(study.fallbacks),
        previous=tuple(previous),
        breaches=tuple(breaches),
        failed_updates=tuple(failed_updates),
        provenance=dict(provenance or {}),
    )
    write_text(run_directory / RESULTS_FILE, result.model_dump_json(indent=1) + "\n")
    for name, text in csv_texts(result, read_updates(run_directory)).items():
        write_text(run_directory / name, text)
    return result


def _factors(study: Study) -> tuple[Factor, ...]:
    """The factors of a factor study; none for another study."""
    factors = study.cells.factors if study.cells else {}
    return tuple(Factor(name=name, levels=tuple(levels)) for name, levels in factors.items())


def _cells(study: Study) -> tuple[FactorCell, ...]:
    """Which variant is which cell of a factor study."""
    cells = study.cells.cells() if study.cells else {}
    return tuple(FactorCell(variant=name, levels=levels) for name, levels in cells.items())


def _read(model: type[_M], path: Path) -> _M:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WorkbookError(
            f"{path}: no such file", hint="make a run first: ./workbook run; or give the directory of another run"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise WorkbookError(f"{path}: cannot be read: {error}") from None
    try:
        _refuse_other_schema(path, json.loads(text))
        return model.model_validate_json(text)
    except json.JSONDecodeError as error:
        message = f"{path}: line {error.lineno}: not valid JSON ({error.msg}); the file is truncated or damaged"
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the whole"
        message = f"{path}: {key}: {first['msg'].removeprefix('Value error, ')}"
    except (ValueError, RecursionError) as error:  # a number of too many digits; values nested without end
        message = f"{path}: not valid JSON: {error}"
    raise WorkbookError(message, hint="run ./workbook run again to write the file anew")


def _refuse_other_schema(path: Path, value: object) -> None:
    version = value.get("schema_version") if isinstance(value, dict) else None
    if version != SCHEMA_VERSION:
        raise WorkbookError(
            f"{path}: schema_version is {version!r}; this workbook reads {SCHEMA_VERSION}",
            hint="read it with the version of the workbook that wrote it, or make a new run",
        )
