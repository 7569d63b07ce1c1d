"""Conclusions and boot times: what the figures say, hedged, and never more."""

from typing import Any

import pytest

from atomic_lib.guest.boot_record import Boot
from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.guest.counted.probe import CountedUnit
from atomic_lib.report.tables.boot.time_cells import summary_cell, verdict_cell
from atomic_lib.report.text import conclusions
from atomic_lib.report.text.time_words import median_text, shift_text
from atomic_lib.results.analysis.boot_groups import BootGroup
from atomic_lib.results.analysis.boot_times import BootTime
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult
from tests.report import factory
from tests.report.factory import plain, study_of

BIOS = BootGroup("bios", "tcg")
LOGIN = BootTime(BIOS, "ssh-login")


def booted(variant: str, *logins: float | None, warm_up: float | None = None, **changed: Any) -> VariantResult:
    """A variant with one BIOS boot for each time to the login; Docker is ready 9 s later."""
    made = factory.variant_result(variant)

    def boot(index: int, seconds: float | None, **more: Any) -> Boot:
        docker = None if seconds is None else seconds + 9
        times = {"index": index, "ssh_login_seconds": seconds, "docker_ready_seconds": docker}
        return made.boots[0].model_copy(update={**times, **changed, **more})

    boots = [boot(index, seconds) for index, seconds in enumerate(logins, start=1)]
    if warm_up is not None:
        boots.insert(0, boot(0, warm_up, warm_up=True))
    return made.model_copy(update={"boots": tuple(boots)})


def around(seconds: float, n: int = 7) -> list[float]:
    """Times of boots about a second apart."""
    return [seconds + (index * 3 % n) / n for index in range(n)]


def said(*results: VariantResult) -> str:
    """What the last of the variants is told to be."""
    return plain(conclusions.sentence(study_of(*results), results[-1]))


def test_the_conclusions_say_what_the_figures_say(study: StudyResult) -> None:
    text = {result.variant: plain(conclusions.sentence(study, result)) for result in study.variants}
    assert text["cloud-docker"].startswith("baseline: the tree holds 669.4 MB in 263 packages. Present: Python and")
    assert (
        "514.8 MB in 193 packages (79 removed, 9 added), 154.6 MB (23 %) less than cloud-docker;" in text["atomic-min"]
    )
    assert "the compressed image has 195.6 MB, 58.8 MB (23 %) less." in text["atomic-min"]
    assert "Removed: Python (1,116 files) and package manager (481 files)." in text["atomic-min"]
    assert "Removed: package manager (481 files). Still present: Python." in text["atomic-cloud-init"]
    assert "All 10 checks passed." in text["atomic-min"]
    assert "Checks that failed: docker run prints." in text["atomic-cloud-init"]
    assert text["atomic-broken"] == (
        "failed at the stage compose: python3 is excluded but required: cloud-init -> python3-yaml -> python3"
    )
    assert text["atomic-unbooted"].endswith("Incomplete: not all boots have been made.")


def test_one_boot_each_shows_no_difference_however_large(study: StudyResult) -> None:
    atomic = plain(conclusions.sentence(study, study.variants[2]))
    assert (
        "Booted by BIOS, TCG, n = 1 against 1: ssh login after 48.2 s against 74.0 s, Docker ready after 57.6 s "
        "against 83.4 s: no difference shown (one boot each; at least 7 of both are needed for p < 0.002)."
    ) in atomic
    assert "Booted by UEFI, TCG: ssh login after 48.2 s, Docker ready after 57.6 s (one boot, no statistics)." in atomic
    assert not any(word in atomic for word in ("faster", "slower", "NaN", "None"))


def test_a_difference_that_holds_is_told_with_n_interval_p_and_noise() -> None:
    text = said(booted("cloud-docker", *around(74)), booted("atomic-min", *around(48, 8)))
    assert (
        "Booted by BIOS, TCG, n = 8 against 7: ssh login after 48.4 s [48.1, 48.8] against 74.4 s [74.1, 74.7], "
        in text
    )
    assert "faster by 26.0 s (p = 0.00031, beyond the noise of the session, 1.0 %); Docker ready after" in text
    slower = said(booted("cloud-docker", *around(48)), booted("atomic-min", *around(74)))
    assert "slower by 26.0 s (p = 0.00058" in slower


def test_each_time_has_a_verdict_of_its_own() -> None:
    base = booted("cloud-docker", *around(74))
    late = [boot.model_copy(update={"docker_ready_seconds": 60.0 + boot.index}) for boot in base.boots]
    text = said(base, booted("atomic-min", *around(74)).model_copy(update={"boots": tuple(late)}))
    assert "ssh login after 74.4 s [74.1, 74.7] against 74.4 s [74.1, 74.7], no difference shown (p = 1, not" in text
    assert "Docker ready after 64.0 s [62.0, 66.0] against 83.4 s [83.1, 83.7], faster by 19.4 s (p = 0.00058" in text


def test_a_warm_up_is_in_no_figure() -> None:
    result = booted("atomic-min", 50.0, 51.0, 52.0, warm_up=500.0)
    assert LOGIN.samples(result) == (50.0, 51.0, 52.0)
    assert "ssh login after 51.0 s" in said(result)
    assert "Boot: warm-up boots only." in said(booted("atomic-min", warm_up=500.0))


def test_kinds_of_boots_are_never_mixed() -> None:
    tcg, kvm = booted("cloud-docker", *around(74)), booted("atomic-min", *around(9), accelerator="kvm")
    assert LOGIN.samples(kvm) == ()
    assert LOGIN.verdict(study_of(tcg, kvm), kvm) is None
    text = said(tcg, kvm)
    assert "Booted by BIOS, KVM: ssh login after 9.4 s [9.1, 9.7], Docker ready after 18.4 s [18.1, 18.7]" in text
    assert "against 74" not in text
    assert LOGIN.samples(booted("atomic-min", *around(9), firmware="uefi")) == ()


def test_other_guests_are_not_compared() -> None:
    base, other = booted("cloud-docker", *around(74)), booted("atomic-min", *around(48), cpus=4)
    assert "no difference shown (the guests differ in processors or memory)" in said(base, other)


def test_a_boot_that_did_not_get_that_far_is_told() -> None:
    assert "Booted by BIOS, TCG: no ssh login in 2 boots." in said(booted("atomic-min", None, None))
    text = said(booted("cloud-docker", *around(74)), booted("atomic-min", *around(48), None))
    assert "n = 8 against 7: ssh login after 48.4 s [48.1, 48.7] (in 7 of 8 boots) against 74.4 s" in text
    dead = booted("atomic-min", 50.0, docker_ready_seconds=None)
    assert "ssh login after 50.0 s, Docker ready: never (one boot, no statistics)" in said(dead)
    without = dead.model_copy(update={"parameters": {"runtime": "none"}})
    assert "Booted by BIOS, TCG: ssh login after 50.0 s (one boot, no statistics)" in said(without)


def test_without_figures_of_the_baseline_nothing_is_compared() -> None:
    broken = factory.failed_result().model_copy(update={"variant": "cloud-docker"})
    text = said(broken, booted("atomic-min", 48.0, 49.0))
    assert "the baseline cloud-docker has no figure to compare with" in text
    assert "Booted by BIOS, TCG: ssh login after 48.5 s, Docker ready after 57.5 s (medians, n = 2)." in text
    assert "Absent: Python and package manager." in text


def counted(variant: str, busy: float, agent: float, shift: int = 0) -> VariantResult:
    """A variant with one counted boot, in which the agent's unit took ``agent`` counted seconds."""
    units = (CountedUnit(unit="agent.service", cpu_seconds=agent), CountedUnit(unit="dbus.service", cpu_seconds=0.05))
    boot = CountedBoot(busy_seconds=busy, outside_units_seconds=1.0, shift=shift, qemu_version="10.0.2", units=units)
    return booted(variant, 50.0).model_copy(update={"counted_boots": (boot,)})


def test_counted_seconds_are_compared_by_their_own_rule() -> None:
    base = counted("cloud-docker", 14.25, 5.0)
    assert "A counted boot costs 14.25 counted s. All" in said(base)
    assert (
        "A counted boot costs 9.12 counted s against 14.25 counted s, 5.12 counted s less, mostly in "
        "agent.service (4.90 counted s). All"
    ) in said(base, counted("atomic-min", 9.125, 0.1))
    close = said(base, counted("atomic-min", 14.26, 5.01))
    assert "against 14.25 counted s: no difference shown (chance changes a boot by up to 0.8 %)." in close


def test_of_several_counted_boots_the_medians_are_compared_as_the_table_shows_them() -> None:
    base = counted("cloud-docker", 14.25, 5.0)
    several = [
        counted("atomic-min", busy, agent).counted_boots[0] for busy, agent in ((9.5, 0.3), (9.1, 0.1), (9, 0.1))
    ]
    other = counted("atomic-min", 9.0, 0.1).model_copy(update={"counted_boots": tuple(several)})
    text = said(base, other)
    assert "costs 9.10 counted s against 14.25 counted s, 5.15 counted s less, mostly in agent.service" in text
    assert "(4.90 counted s)" in text


def test_boots_that_were_counted_with_other_settings_are_not_compared() -> None:
    text = said(counted("cloud-docker", 14.25, 5.0), counted("atomic-min", 9.125, 0.1, shift=1))
    assert "against 14.25 counted s, but counted with other settings: not compared." in text
    assert " less" not in text.split("counted boot")[1]


def test_a_variant_without_boots_says_so() -> None:
    assert "Boot: not booted. All" not in said(booted("atomic-min"))
    assert said(booted("atomic-min")).endswith("Boot: not booted.")


def test_cells_hold_the_median_its_interval_and_n() -> None:
    summary = LOGIN.summary(booted("atomic-min", *around(48)))
    assert summary is not None
    assert plain(median_text(summary)) == "48.4 s [48.1, 48.7]"
    cell = summary_cell(summary, note="TCG")
    assert (plain(cell.text), cell.note, cell.kind) == ("48.4 s", "[48.1, 48.7], n = 7, TCG", "number")
    few = LOGIN.summary(booted("atomic-min", 48.0))
    assert few is not None
    assert plain(median_text(few)) == "48.0 s"
    short = BootTime(BIOS, "kernel_seconds").summary(booted("atomic-min", *around(48)))
    assert short is not None
    assert plain(median_text(short)) == "6.6 s [6.6, 6.6]"
    assert summary_cell(few).note == "n = 1"
    assert summary_cell(LOGIN.summary(booted("atomic-min", 48.0, 51.0, 49.0))).note == "48.0 to 51.0, n = 3"
    assert summary_cell(None, reason="not reached").note == "not reached"


def test_times_below_a_second_have_intervals_in_milliseconds() -> None:
    boots = [boot.model_copy(update={"ssh_login_seconds": 0.3 + index / 100}) for index, boot in enumerate(
        booted("atomic-min", *around(48)).boots)]  # fmt: skip
    summary = LOGIN.summary(booted("atomic-min").model_copy(update={"boots": tuple(boots)}))
    assert summary is not None
    assert plain(median_text(summary)) == "330 ms [310, 350]"


def test_a_verdict_cell_has_word_shift_and_reason() -> None:
    base, other = booted("cloud-docker", *around(74)), booted("atomic-min", *around(48))
    verdict = LOGIN.verdict(study_of(base, other), other)
    assert verdict is not None
    assert plain(shift_text(verdict)) == "-26.0 s [-26.4, -25.6]"
    cell = verdict_cell(verdict)
    assert (cell.text, plain(cell.note).split("; ")[0]) == ("faster", "-26.0 s [-26.4, -25.6]")
    assert verdict_cell(None, reason="not booted").note == "not booted"
    assert LOGIN.verdict(study_of(base, other), base) is None


def test_a_failure_shows_cause_next_step_log_and_console() -> None:
    made = factory.variant_result("atomic-min")
    failed = made.model_copy(update={"status": "failed", "error": factory.failed_result().error})
    html = conclusions.failure(failed, to_run="../")._repr_html_()
    assert "atomic-min failed at the stage compose" in html
    assert "Next step: drop cloud-init" in html
    assert "nothing provides &lt;python3&gt; needed" in html
    assert '<a href="../atomic-min/console-bios-0.log">' in html
    with pytest.raises(ValueError, match="did not fail"):
        conclusions.failure(made)
