"""Groups of packages: few, stable when packages come, go or grow, and the large ones by themselves."""

import random

import pytest

from atomic_lib.image.oci.packing import UNCHANGED, Packing, pack


def made_sizes(count: int = 150) -> dict[str, int]:
    """As packages are: most are small."""
    drawn = random.Random(7)
    return {f"package-{number}": int(10 ** drawn.uniform(3, 8)) for number in range(count)}


def members(packing: Packing) -> list[str]:
    return sorted(name for group in packing for name in group)


@pytest.mark.parametrize("limit", [2, 7, 62])
def test_each_package_is_in_one_group_and_there_are_no_more_than_the_limit(limit: int) -> None:
    sizes = made_sizes()
    packing = pack(sizes, limit)
    assert members(packing) == sorted(sizes)
    assert len(packing) == limit
    assert packing[-1] == ()


def test_few_packages_have_a_group_each() -> None:
    assert pack({"a": 1, "b": 2, "c": 3}, 62) == (("c",), ("b",), ("a",), ())


def test_the_order_of_the_packages_does_not_matter() -> None:
    for sizes in (made_sizes(), dict.fromkeys(made_sizes(), 5)):
        assert pack(dict(reversed(sizes.items())), 20) == pack(sizes, 20)


def test_a_large_package_shares_its_group_with_none() -> None:
    packing = pack({"large": 10**8, "larger": 2 * 10**8, "a": 5, "b": 6, "c": 7}, 4)
    assert packing == (("larger",), ("large",), ("a", "b", "c"), ())


def test_groups_are_what_keeps_more_than_equal_numbers_of_packages_do() -> None:
    def kept(packing: Packing) -> float:
        return sum(sum(sizes[name] for name in group) * UNCHANGED ** len(group) for group in packing)

    sizes = made_sizes()
    names = sorted(sizes, key=lambda name: sizes[name])
    equal = tuple(tuple(names[start : start + 6]) for start in range(0, len(names), 6))
    assert kept(pack(sizes, len(equal) + 1)) > kept(equal)


def test_a_later_version_keeps_the_groups_whatever_comes_goes_and_grows() -> None:
    sizes = made_sizes()
    first = pack(sizes, 20)
    gone, grown = first[-2][0], first[0][0]
    later = {name: size for name, size in sizes.items() if name != gone} | {"new-b": 10**9, "new-a": 1}
    later[grown] *= 100
    second = pack(later, 20, first)
    assert second[:-2] == first[:-2]
    assert second[-2] == first[-2][1:]
    assert second[-1] == ("new-a", "new-b")
    third = pack(later | {"newer": 5}, 20, second)
    assert (third[:-1], third[-1]) == (second[:-1], ("new-a", "new-b", "newer"))


def test_a_group_whose_packages_are_all_gone_stays_so_that_the_last_one_is_the_reserved_one() -> None:
    assert pack({"b": 1}, 9, (("a",), ("b",), ("c",))) == ((), ("b",), ())
