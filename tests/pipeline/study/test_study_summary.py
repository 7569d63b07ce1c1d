"""What the terminal says at the end of a run."""

from pathlib import Path

import pytest

from atomic_lib.pipeline import study
from atomic_lib.results.variant_result import FailedBoot
from tests.report.factory import study_of, variant_result


def test_failed_boots_are_named_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    dead = FailedBoot(firmware="uefi", index=2, reason="proof of life failed (docker run prints)")
    result = variant_result("atomic-min", boots=3).model_copy(update={"failed_boots": (dead,)})
    study._report(study_of(result), Path("index.html"))
    said = "atomic-min: booted 3 times, failed once: UEFI, boot 2: proof of life failed (docker run prints)."
    assert said in capsys.readouterr().err
