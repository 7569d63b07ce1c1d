"""The boots of a variant: each is made once and stored; failed boots are recorded with their evidence."""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

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
    """The boots of a variant's image; ``directory`` gets console logs and evidence.

    ``selinux``: the SELinux mode in the image's recipe.
    """

    variant: Variant
    selinux: SelinuxMode
    image: Image
    context: Context
    directory: Path

    def make(self, record: VariantRecord, new_boots: int) -> None:
        """Record the stored boots, and at most ``new_boots`` new ones.

        The store keeps failures too, so that the page of a later, successful run still shows them.

        Raises WorkbookError if a guest never reports or fails its proof of life; ``directory`` then
        has its console log.
        """
        timed: list[Mapping[str, object]] = []
        counted: list[Mapping[str, object]] = []
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
                # record what was measured, even in a boot that failed its proof of life
                into.extend(self._measured_before_failing(boot))
                record.add_boots(timed, counted, self._failed(boots), None)
                raise
            new_boots -= not made.reused
            into.append(self._kept(made, boot))
        record.add_boots(timed, counted, self._failed(boots), missing)

    def _kept(self, made: Stored, boot: ImageBoot) -> dict[str, object]:
        """The data of a stored boot; copies its console log to ``directory``."""
        data: dict[str, object] = json.loads((made.path / BOOT_FILE).read_text())
        if boot.firmware:
            data |= {"started": (made.path / STARTED_FILE).read_text(), "warm_up": boot.index == 0}
        shutil.copyfile(made.path / "console.log", self.directory / _console(boot))
        return {**data, "console_log": f"{self.directory.name}/{_console(boot)}"}

    def _measured_before_failing(self, boot: ImageBoot) -> list[dict[str, object]]:
        """The data of a boot that failed its proof of life; empty if it failed earlier."""
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
        """All failures of these boots, including those of previous runs."""
        files = [file for boot in boots for file in sorted(self._failures(boot).glob("*.json"))]
        return tuple(FailedBoot.model_validate_json(file.read_text()) for file in files)

    def _failures(self, boot: ImageBoot) -> Path:
        key = key_of(boot.stage.key_inputs(boot, self.context))
        return self.context.store.root / FAILED / f"{boot.stage.name}-{key}"


def _console(boot: ImageBoot) -> str:
    return f"console-{boot.name}.log"
