"""The milestones of a console, each as a guest's console grows."""

from atomic_lib.guest.evidence.console_milestones import console_milestone

CONSOLE = (
    ("GNU GRUB  version 2.12\n", "firmware"),
    ("[    0.000000] Linux version 6.12\n", "kernel"),
    ("Booting initrd of dracut.\n", "systemd in the initrd"),
    ("[  OK  ] Reached target network.target - Network.\n", "network"),
    ("[   12.345678] a driver says something\n", "network"),
    ("Welcome to Debian GNU/Linux 13 (trixie)!\n", "systemd"),
    ("[  OK  ] Reached target network.target - Network.\n", "network"),
    ("[  OK  ] Finished min-cloud-agent.service -… from its cloud's metadata service.\n", "agent"),
    ("\nlocalhost login: ", "login prompt"),
    ("[  OK  ] Reached target multi-user.target - Multi-User System.\n", "multi-user.target"),
)


def test_the_milestone_is_the_last_one_on_the_console() -> None:
    console, found = "", []
    for text, _ in CONSOLE:
        console += text
        found.append(console_milestone(console))
    assert found == [milestone for _, milestone in CONSOLE]
    assert console_milestone("") == "firmware"
