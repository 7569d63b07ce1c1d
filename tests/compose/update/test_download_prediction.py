"""Names of files in a served repository, and the sums of a download."""

from pathlib import Path

from atomic_lib.compose.update.download_prediction import (
    ServedFile,
    delta_directory,
    delta_index,
    download_of,
    predict_check,
    predict_delta,
)
from atomic_lib.compose.update.update_repository import fallback_checksums

# Names that ostree 2025.2 itself gave.
BEFORE = "c931ef02fdb08ee48dd5c99cfe8bc6fcd2ece7484b9d96ba4a5596eceadeefd4"
AFTER = "7751e0f8b183829ed4661162125d15a9721c76813f62d12cfb6f4686e66c72ad"
DELTA = "deltas/yT/HvAv2wjuSN1cmc_ovG_NLs50hLnZa6SlWW7Ore79Q-d1Hg+LGDgp7UZhFiEl0VqXIcdoE_YtEs+29GhuZscq0"
SHOWN = f"""\
Number of parents: 0
Number of fallback entries: 1
  {AFTER}
Total Fallback Size: 6001869 (6.0 MB)
Number of parts: 1
"""


def write(root: Path, path: str, size: int) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(bytes(size))


def test_deltas_have_the_names_that_ostree_gives_them() -> None:
    assert delta_directory(BEFORE, AFTER) == DELTA
    assert delta_index(AFTER) == "delta-indexes/d1/Hg+LGDgp7UZhFiEl0VqXIcdoE_YtEs+29GhuZscq0.index"


def test_a_check_is_the_commit_and_its_signature(tmp_path: Path) -> None:
    for path, size in (("summary", 500), ("config", 58), (f"objects/{AFTER[:2]}/{AFTER[2:]}.commit", 250),
                       (f"objects/{AFTER[:2]}/{AFTER[2:]}.commitmeta", 300)):  # fmt: skip
        write(tmp_path, path, size)
    check = predict_check(tmp_path, AFTER)
    assert (check.requests, check.bytes) == (5, 1108)
    assert ServedFile("summary.sig", 0) in check.files


def test_a_delta_is_its_parts_its_index_and_what_is_too_large_for_it(tmp_path: Path) -> None:
    large = "ab" * 32
    for path, size in ((f"{DELTA}/superblock", 10), (f"{DELTA}/0", 100), (f"objects/ab/{large[2:]}.filez", 1000)):
        write(tmp_path, path, size)
    found = predict_delta(tmp_path, BEFORE, AFTER, [large])
    assert (found.requests, found.bytes) == (7, 1110)


def test_the_order_of_requests_does_not_matter() -> None:
    files = [ServedFile("b", 1), ServedFile("a", 2), ServedFile("a", 2)]
    assert download_of(files) == download_of(reversed(files)) != download_of(files[:2])


def test_files_too_large_for_a_delta_are_read() -> None:
    assert fallback_checksums(SHOWN) == (AFTER,)
    assert fallback_checksums("Number of fallback entries: 0\nNumber of parts: 1\n") == ()
