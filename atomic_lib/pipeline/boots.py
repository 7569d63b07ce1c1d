"""The boots of one variant for its record: each made once and kept, and the evidence of those that failed."""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.store import Stored, key_of
from atomic_lib.base.traces import scrubber
from atomic_lib.guest.boot_stages import BOOT_FILE, STARTED_FILE, ImageBoot, image_boots
from atomic_lib.guest.evidence.denials import SelinuxMode
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
        """Record the boots that are there, and at most ``new_boots`` made now.

        A failure is kept beside the store's boots, so that the page of a later run that succeeds still tells it.

        Raises WorkbookError when the guest never reports or fails its proof of life; its console
        log is then in ``directory``.
        """
        timed: list[Mapping[str, Any]] = []
        counted: list[Mapping[str, Any]] = []
        missing, boots = 0, image_boots(self.variant, self.selinux, self.image, self.directory)
        for boot in boots:
            into = timed if boot.firmware else counted
            if new_boots <= 0 and not boot.stage.has(boot, self.context):
                missing += 1
                continue
            try:
                made = boot.stage.get(boot, self.context)
            except WorkbookError as error:
                self._keep_failure(boot, error)
                # what was measured stays in the record, also of the boot that failed its proof of life
                into.extend(self._measured_before_failing(boot))
                record.add_boots(timed, counted, self._failed(boots), None)
                raise
            new_boots -= not made.reused
            into.append(self._kept(made, boot))
        record.add_boots(timed, counted, self._failed(boots), missing)

    def _kept(self, made: Stored, boot: ImageBoot) -> dict[str, Any]:
        """The data of a boot that was made; its console log is copied into ``directory``."""
        data: dict[str, Any] = json.loads((made.path / BOOT_FILE).read_text())
        if boot.firmware:
            data |= {"started": (made.path / STARTED_FILE).read_text(), "warm_up": boot.index == 0}
        shutil.copyfile(made.path / "console.log", self.directory / _console(boot))
        return {**data, "console_log": f"{self.directory.name}/{_console(boot)}"}

    def _measured_before_failing(self, boot: ImageBoot) -> list[dict[str, Any]]:
        """The data of a boot that failed its proof of life, if it came that far."""
        kept = self.directory / f"boot-{boot.name}.json"
        if not kept.is_file():
            return []
        console = f"{self.directory.name}/{_console(boot)}"
        return [{**json.loads(kept.read_text()), "console_log": console, "warm_up": boot.index == 0}]

    def _keep_failure(self, boot: ImageBoot, error: WorkbookError) -> None:
        reason = scrubber(self.directory)(error.message.partition("\n")[0])
        failed = FailedBoot(
            firmware=boot.firmware or "counted",
            index=boot.index,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            reason=reason,
        )
        write_text(self._failures(boot) / f"{time.time_ns()}.json", failed.model_dump_json() + "\n")

    def _failed(self, boots: Sequence[ImageBoot]) -> tuple[FailedBoot, ...]:
        """Every failure of these boots so far, those of earlier runs included."""
        files = [file for boot in boots for file in sorted(self._failures(boot).glob("*.json"))]
        return tuple(FailedBoot.model_validate_json(file.read_text()) for file in files)

    def _failures(self, boot: ImageBoot) -> Path:
        key = key_of(boot.stage.key_inputs(boot, self.context))
        return self.context.store.root / FAILED / f"{boot.stage.name}-{key}"


def _console(boot: ImageBoot) -> str:
    return f"console-{boot.name}.log"
