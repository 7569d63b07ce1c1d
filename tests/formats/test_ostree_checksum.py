"""Checksums of files, as ``ostree checksum`` and ``ostree ls -C`` (2025.2) gave them."""

import struct

import pytest

from atomic_lib.formats.ostree_checksum import bare_user_checksum, file_checksum


def test_a_file_and_a_link_have_the_checksums_that_ostree_gives_them() -> None:
    assert file_checksum(0o100644, (0, 0), {}, None, [b"hel", b"lo\n"]) == (
        "44f778e59f0a4748d6b0c90a47347212a231c4ad1e8f7ea5c5dffc7749153a6b"
    )
    assert file_checksum(0o120777, (0, 0), {}, b"../target", []) == (
        "420b73367f8f4ce4809a96cdbdb0b4b447cc428f819ffb1ab3000e00e75654cd"
    )


def test_mode_owner_attributes_and_content_count() -> None:
    label = {"security.selinux": b"system_u:object_r:bin_t:s0\0"}
    found = {
        file_checksum(mode, owner, attributes, None, [content])
        for mode in (0o100644, 0o100755)
        for owner in ((0, 0), (0, 1), (1, 0))
        for attributes in ({}, label, {**label, "user.a": b"x" * 300})
        for content in (b"", b"a")
    }
    assert len(found) == 2 * 3 * 3 * 2


def test_attributes_count_by_name_and_not_by_order() -> None:
    one, other = {"user.a": b"1", "user.b": b"2"}, {"user.b": b"2", "user.a": b"1"}
    assert file_checksum(0o100644, (0, 0), one, None, []) == file_checksum(0o100644, (0, 0), other, None, [])


STORED_LABEL = b"security.selinux\0system_u:object_r:etc_t:s0\0\x11-"
"""The end of ``user.ostreemeta`` of an object that ostree wrote."""
LABEL = {"security.selinux": b"system_u:object_r:etc_t:s0\0"}


@pytest.mark.parametrize(("stored", "attributes"), [(b"", {}), (STORED_LABEL, LABEL)])
def test_an_object_of_a_bare_user_repository_has_the_checksum_of_its_file(
    stored: bytes, attributes: dict[str, bytes]
) -> None:
    file, link = (struct.pack(">3I", 1, 2, mode) + stored for mode in (0o104755, 0o120777))
    assert bare_user_checksum(file, [b"hel", b"lo\n"]) == (
        file_checksum(0o104755, (1, 2), attributes, None, [b"hello\n"])
    )
    assert bare_user_checksum(link, [b"../tar", b"get\0"]) == (
        file_checksum(0o120777, (1, 2), attributes, b"../target", [])
    )
