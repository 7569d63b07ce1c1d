"""What an SBOM says that a package is: a Debian package is never taken for Fedora's."""

import pytest

from atomic_lib.results.build_result import PackageSize
from atomic_lib.results.sbom.package_identity import identity_of, printable
from atomic_lib.results.variant_result import ContentSummary

STANDIN = ContentSummary(title="stand-in content", releasever="13", standin=True)
FEDORA = ContentSummary(title="Fedora", releasever="43", standin=False)


def package(vendor: str, **changed: object) -> PackageSize:
    values = {"name": "openssh-clients", "epoch": 1, "version": "10.0p1", "release": "7", "arch": "x86_64", "bytes": 1,
              "files": 1, "class": "ssh", "vendor": vendor}  # fmt: skip
    return PackageSize.model_validate({**values, **changed})


def test_a_standin_package_is_the_debian_package_that_it_was_made_of() -> None:
    found = identity_of(package("Debian (openssh-client 1:10.0p1-7)"), STANDIN)
    assert (found.name, found.version, found.supplier) == ("openssh-client", "1:10.0p1-7", "Debian")
    assert str(found.purl) == "pkg:deb/debian/openssh-client@1:10.0p1-7?arch=amd64&distro=debian-13"
    assert "RPM openssh-clients-1:10.0p1-7.x86_64. It is not Fedora's package." in found.description


def test_a_package_of_fedora_is_an_rpm_of_its_release() -> None:
    found = identity_of(package("Fedora Project"), FEDORA)
    assert str(found.purl) == "pkg:rpm/fedora/openssh-clients@10.0p1-7?arch=x86_64&distro=fedora-43&epoch=1"
    assert (found.name, found.version, found.supplier) == ("openssh-clients", "1:10.0p1-7", "Fedora Project")
    assert found.description == ""


@pytest.mark.parametrize("vendor", ["", "Example, Inc.", "Debian (", "Debian (two words more)"])
def test_the_package_url_of_any_other_vendor_is_neither_fedora_nor_debian(vendor: str) -> None:
    for content in (STANDIN, FEDORA):
        purl = identity_of(package(vendor), content).purl
        assert purl.type == "rpm"
        assert purl.namespace not in ("fedora", "debian")
        assert "distro" not in purl.qualifiers


def test_a_vendor_that_only_looks_like_debian_is_not_believed_outside_of_standin_content() -> None:
    found = identity_of(package("Debian (bash 1)"), FEDORA)
    assert found.name == "openssh-clients"
    assert found.purl.type == "rpm"


def test_what_the_workbook_made_for_standin_content_is_nobodys_else() -> None:
    found = identity_of(package("", name="standin-setup"), STANDIN)
    assert found.description == "Neither converted from Debian nor taken from Fedora's repositories."


def test_control_characters_are_shown_as_escapes_and_long_texts_are_cut() -> None:
    assert printable("a\x1b[31m\nb\u202ec\udc80 d") == "a\\x1b[31m\\nb\\u202ec\\udc80 d"
    assert len(printable("x" * 10_000)) == 1000


def test_an_rpm_of_ones_own_in_standin_content_is_not_taken_for_one_of_fedora() -> None:
    purl = identity_of(package("Fedora Project"), STANDIN).purl
    assert str(purl) == "pkg:rpm/openssh-clients@10.0p1-7?arch=x86_64&epoch=1"


@pytest.mark.parametrize("vendor", ["Fedora Project", "Debian (bash 1)"])
@pytest.mark.parametrize("content", [STANDIN, FEDORA])
def test_an_rpm_of_ones_own_is_no_distributions_whatever_it_says(vendor: str, content: ContentSummary) -> None:
    found = identity_of(package(vendor), content, own=True)
    assert (found.supplier, str(found.purl)) == ("", "pkg:rpm/openssh-clients@10.0p1-7?arch=x86_64&epoch=1")
