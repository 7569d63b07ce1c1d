"""The boots of one variant for its record: each made once and kept, and the evidence of those that failed."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.model import SelinuxMode
from atomic_lib.base.progress import passed
from atomic_lib.base.scrub import scrubber
from atomic_lib.base.store import key_of, set_aside
from atomic_lib.guest.boot_record import BOOT_FILE, StoredBoot, read_boot
from atomic_lib.guest.boot_stages import ImageBoot, image_boots
from atomic_lib.guest.counted.counted_boot import CountedBoot, read_counted_boot
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import Variant
from atomic_lib.results.record import VariantRecord
from atomic_lib.results.variant_result import FailedBoot
from atomic_lib.tools.context import Context

FAILED = "failed-boots"


@dataclass(frozen=True)
class Boots:
    """The boots of a variant's image; console logs and evidence go into ``directory``.

    ``selinux``: the mode that the image's recipe asks for.
    """

    variant: Variant
    selinux: SelinuxMode
    image: Image
    context: Context
    directory: Path

    def make(self, record: VariantRecord, new_boots: int) -> None:
        """Record the boots that are stored, and at most ``new_boots`` made now.

        A failure is kept beside the store's boots, so that the page of a later run that succeeds still
        reports it.

        Raises WorkbookError when the guest never reports or fails its proof of life; its console
        log is then in ``directory``.
        """
        timed: list[StoredBoot] = []
        counted: list[CountedBoot] = []
        missing, boots = 0, image_boots(self.variant, self.selinux, self.image, self.directory)
        for boot in boots:
            if new_boots <= 0 and not boot.stage.has(boot, self.context):
                missing += 1
                continue
            try:
                made = boot.stage.get(boot, self.context)
            except WorkbookError as error:
                self._keep_failure(boot, error)
                # record what was measured, even in a boot that failed its proof of life
                record.add_boots([*timed, *self._failed_timed(boot)], counted, self._failures_of(boots), None)
                raise
            new_boots -= not made.reused
            console = self._keep_console(boot, made.path)
            passed(f"{self.variant.variant}: boot {boot.name}")
            if boot.firmware:
                timed.append(_read_timed(boot, made.path / BOOT_FILE, console))
            else:
                stored = read_counted_boot(made.path / BOOT_FILE)
                counted.append(stored.model_copy(update={"console_log": console}))
        record.add_boots(timed, counted, self._failures_of(boots), missing)

    def _failed_timed(self, boot: ImageBoot) -> list[StoredBoot]:
        """The data of a timed boot that failed its proof of life; empty if it failed earlier."""
        kept = self.directory / f"boot-{boot.name}.json"
        if not (boot.firmware and kept.is_file()):
            return []
        return [_read_timed(boot, kept, f"{self.directory.name}/{_console(boot)}")]

    def _keep_console(self, boot: ImageBoot, source: Path) -> str:
        """Copy a boot's console log; returns its path, relative to the run's directory."""
        shutil.copyfile(source / "console.log", self.directory / _console(boot))
        return f"{self.directory.name}/{_console(boot)}"

    def _keep_failure(self, boot: ImageBoot, error: WorkbookError) -> None:
        failed = FailedBoot(
            firmware=boot.firmware or "counted",
            index=boot.index,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            reason=scrubber(self.directory)(error.message.partition("\n")[0]),
        )
        write_text(self._failures(boot) / f"{time.time_ns()}.json", failed.model_dump_json() + "\n")

    def _failures_of(self, boots: Sequence[ImageBoot]) -> tuple[FailedBoot, ...]:
        """Every failure of these boots so far, those of earlier runs included."""
        failures = []
        for file in (file for boot in boots for file in sorted(self._failures(boot).glob("*.json"))):
            try:
                failures.append(FailedBoot.model_validate_json(file.read_bytes()))
            except ValidationError:  # as after a power cut
                set_aside(file, "the record of a failed boot is damaged, so the page does not show it")
        return tuple(failures)

    def _failures(self, boot: ImageBoot) -> Path:
        key = key_of(boot.stage.key_inputs(boot, self.context))
        return self.context.store.root / FAILED / f"{boot.stage.name}-{key}"


def _read_timed(boot: ImageBoot, file: Path, console: str) -> StoredBoot:
    stored = read_boot(file)
    update = {"console_log": console, "warm_up": boot.index == 0}
    return stored.model_copy(update={"boot": stored.boot.model_copy(update=update)})


def _console(boot: ImageBoot) -> str:
    return f"console-{boot.name}.log"
