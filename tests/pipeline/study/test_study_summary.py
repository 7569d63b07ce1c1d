"""What the terminal says at the end of a run."""

from pathlib import Path

import pytest

from atomic_lib.pipeline.study.study_page import report_run
from atomic_lib.results.variant_result import FailedBoot
from tests.report.factory import study_of, variant_result


def test_failed_boots_are_named_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    dead = FailedBoot(firmware="uefi", index=2, reason="proof of life failed (docker run prints)")
    result = variant_result("atomic-min", boots=3).model_copy(update={"failed_boots": (dead,)})
    report_run(study_of(result), Path("index.html"))
    said = "atomic-min: booted 3 times, failed once: UEFI, boot 2: proof of life failed (docker run prints)."
    assert said in capsys.readouterr().err
