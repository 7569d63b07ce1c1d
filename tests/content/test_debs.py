"""The file names of the Debian packages that apt would install."""

from atomic_lib.content.standin.debs import planned_files

PLAN = """\
NOTE: This is only a simulation!
The following NEW packages will be installed:
  bash libc6 adduser
Inst libc6 (2.41-12+deb13u4 Debian:13.7/stable [amd64]) []
Inst bash (5.2.37-2+b10 Debian:13.7/stable, Debian-Security:13/stable-security [amd64])
Inst adduser (1:3.152 Debian:13.7/stable [all])
Conf libc6 (2.41-12+deb13u4 Debian:13.7/stable [amd64])
"""


def test_the_files_are_named_as_apt_names_them() -> None:
    files = ["libc6_2.41-12+deb13u4_amd64.deb", "bash_5.2.37-2+b10_amd64.deb", "adduser_1%3a3.152_all.deb"]
    assert list(planned_files(PLAN)) == files
