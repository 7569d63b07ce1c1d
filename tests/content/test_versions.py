"""Debian versions in rpm: readable as a package's version, and in dpkg's order in relations.

``tests/integration/test_standin_packages.py`` compares the orders of the two programs themselves.
"""

import pytest

from atomic_lib.content.standin.versions import ordered_evr, rpm_evr, rpm_version


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.41-12", (0, "2.41", "12")),
        ("2.41", (0, "2.41", "0")),
        ("1:2.0~rc1-3+deb13u1", (1, "2.0~rc1", "3+deb13u1")),
        ("0.52.24-5.1", (0, "0.52.24", "5.1")),
        ("20240101-abc-2", (0, "20240101.abc", "2")),
        ("2:1.2-3-4", (2, "1.2.3", "4")),
    ],
)
def test_a_package_keeps_its_version_but_for_hyphens(version: str, expected: tuple[int, str, str]) -> None:
    assert rpm_version(version) == expected


def test_an_evr_names_the_epoch_only_where_there_is_one() -> None:
    assert (rpm_evr("1:2.0"), rpm_evr("2.0-1"), rpm_evr("0:2.0-1")) == ("1:2.0-0", "2.0-1", "2.0-1")


@pytest.mark.parametrize("version", ["5.2.37-2+b10", "1:2.0~rc1-3", "0.52.24-5.1", "3.8.9+dfsg1-3+deb13", "12-0"])
def test_most_versions_need_no_encoding(version: str) -> None:
    assert ordered_evr(version) == version


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.0~1", "1.0~^1-0"),
        ("1.0~", "1.0~^0-0"),
        ("2026a-1", "2026^a0-1"),
        ("1.0+dfsg-1", "1.0+dfsg0-1"),
        ("1.0+1-1", "1.0^+1-1"),
        ("1.0+~1-1", "1.0^zp~^1-1"),
        ("1.0-2-1", "1.0zx2-1"),
        ("1.0.~2-1", "1.0zy~^2-1"),
        ("1.git2", "1.99999999999999999999.git2-0"),
        ("1.0az+2", "1.0^azazp2-0"),
        ("1-.", "1-99999999999999999999.zr0"),
        ("1-~~", "1-~~^0"),
    ],
)
def test_what_rpm_would_order_differently_is_written_differently(version: str, expected: str) -> None:
    assert ordered_evr(version) == expected
