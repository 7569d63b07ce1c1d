"""Which parts of a kickstart have no effect here, which are refused, and why.

A part without effect is accepted with a note. What would change the tree or the image, and is not
done, says so in its note, or is refused.
"""

from collections.abc import Mapping

_CONTENT = "packages come from the variant's content"
_INSTALLER = "it only controls the installer"
_STORAGE = "an image has one disk, which is new, and no other storage"
_PAM = "the tree keeps the login configuration of its packages; to change it, run the program in %post"

NO_EFFECT: Mapping[str, str] = {
    **dict.fromkeys(
        ("autostep", "cmdline", "driverdisk", "graphical", "halt", "install", "interactive", "logging", "mediacheck",
         "poweroff", "rdp", "reboot", "rescue", "shutdown", "text", "unsupported_hardware", "updates", "vnc"),
        _INSTALLER,
    ),
    **dict.fromkeys(
        ("clearpart", "device", "deviceprobe", "dmraid", "fcoe", "ignoredisk", "iscsi", "iscsiname", "multipath",
         "nvdimm", "zerombr", "zfcp", "zipl"),
        _STORAGE,
    ),
    **dict.fromkeys(("cdrom", "harddrive", "hmc", "nfs"), _CONTENT),
    **dict.fromkeys(("auth", "authconfig", "authselect"), _PAM),
    "eula": "nothing here asks for an agreement",
    "key": "no registration takes place",
    "langsupport": "the packages bring their languages; %packages --inst-langs= limits them",
    "lilocheck": _INSTALLER,
    "monitor": "a guest's display needs no description",
    "mouse": "a guest's mouse needs no description",
    "volgroup": "an image has no LVM, but one ext4 root file system",
    "reqpart": "an image always has the partitions that firmware needs, and /boot in its root file system",
    "sshpw": "it sets passwords of the installer, not of the tree",
}  # fmt: skip
"""Commands without effect on a tree or an image, and why."""

_LAYOUT = "an image has one ext4 root file system: use part / --size=MIB --fstype=ext4"
_CONTAINER = "a commit in a container image is not deployed here: use ostreesetup, with the repository of the commit"
COMMAND_REASONS: Mapping[str, str] = {
    **dict.fromkeys(("snapshot", "stratisfs", "stratispool"), _LAYOUT),
    **dict.fromkeys(("bootc", "ostreecontainer"), _CONTAINER),
    "lilo": "the boot loader of an image is GRUB: use bootloader",
    "liveimg": f"an image is composed of packages: {_CONTENT}",
    "module": "module streams are not supported: name the packages in %packages",
    "mount": "an image's disk is new, so it has no file system to mount: use part / --size=MIB",
    "realm": "an image must not have a membership of its own, which all its copies would share",
    "rhsm": "an image must not have a registration of its own, which all its copies would share",
    "syspurpose": "write /etc/rhsm/syspurpose/syspurpose.json in %post",
    "upgrade": "an image is composed anew, so there is nothing to upgrade",
}
"""Commands that are refused, and why."""

SECTIONS_WITHOUT_EFFECT: Mapping[str, str] = {
    "%anaconda": "it only controls the installer",
    "%onerror": "it runs when the installer fails, and there is no installer here",
    "%pre": "it runs in the installer before an installation, and there is no installer here",
    "%traceback": "it runs when the installer fails, and there is no installer here",
}
SECTION_REASONS: Mapping[str, str] = {
    "%addon": "addons of the installer do not run here; do in %post what it would do",
    "%certificate": "write the certificate in %post",
    "%pre-install": "it would change the tree before the packages are installed; use %post",
}

_DISPLAY = ("card", "depth", "driver", "hsync", "monitor", "noProbe", "noprobe", "resolution", "server", "videoRam",
            "videoram", "vsync")  # fmt: skip
"""pykickstart's names of the options of ``xconfig`` that describe a display."""
OPTION_NOTES: Mapping[tuple[str, str], str] = {
    ("%packages", "ignorebroken"): "a package that cannot be installed is an error all the same",
    ("%packages", "ignoremissing"): "a package that no repository has is an error all the same",
    ("%packages", "nobase"): "the group base is never added",
    ("%packages", "retries"): "packages are fetched before the tree is composed",
    ("%packages", "timeout"): "packages are fetched before the tree is composed",
    ("%post", "log"): "the output of the script is in the log of the build, and not in the tree",
    ("autopart", "fstype"): "the root file system is ext4",
    ("autopart", "hibernation"): "an image has no swap",
    ("autopart", "noboot"): "/boot is in the root file system",
    ("autopart", "nohome"): "/home is in the root file system",
    ("autopart", "noswap"): "an image has no swap",
    ("bootloader", "bootDrive"): "an image has one disk",
    ("bootloader", "default"): "an image has one kernel",
    ("bootloader", "disabled"): "an image has a boot loader all the same, for BIOS and for UEFI",
    ("bootloader", "driveorder"): "an image has one disk",
    ("bootloader", "forceLBA"): "GRUB finds a disk of any size",
    ("bootloader", "hvArgs"): "an image has no hypervisor",
    ("bootloader", "upgrade"): "an image has no boot loader before",
    ("bootloader", "useLilo"): "the boot loader of an image is GRUB",
    ("bootloader", "extlinux"): "the boot loader of an image is GRUB",
    ("bootloader", "leavebootorder"): "the image is not booted by an installer",
    ("bootloader", "linear"): "the boot loader of an image is GRUB",
    ("bootloader", "location"): "an image has a boot loader all the same, for BIOS and for UEFI",
    ("bootloader", "nombr"): "an image has a boot loader all the same, for BIOS and for UEFI",
    ("bootloader", "sdboot"): "the boot loader of an image is GRUB",
    ("keyboard", "switch_options"): "only the keymap of the console is set",
    ("keyboard", "x_layouts"): "only the keymap of the console is set",
    ("lang", "addsupport"): "no packages are added for it; name them in %packages, such as langpacks-de",
    ("part", "disk"): "an image has one disk",
    ("part", "format"): "the file system is new",
    ("part", "fsopts"): "the root file system has the mount options of the image",
    ("part", "fsprofile"): "the file system has the features that the image gives it",
    ("part", "hibernation"): "an image has no swap",
    ("part", "label"): "the root file system is found by its UUID",
    ("part", "maxSizeMB"): "the root file system has its size from the start",
    ("part", "mkfsopts"): "the file system has the features that the image gives it",
    ("part", "onbiosdisk"): "an image has one disk",
    ("part", "onPart"): "the disk of an image is new",
    ("part", "primOnly"): "an image has a GPT, which has no other than primary partitions",
    ("part", "recommended"): "the size is not derived from a machine",
    ("rootpw", "allow_ssh"): "root has no password to log in with",
    **{("xconfig", dest): "a guest's display needs no description" for dest in _DISPLAY},
    ("xconfig", "defaultdesktop"): "the tree keeps the session that its packages choose",
}
"""Options without effect, by command and pykickstart's name, and why."""
_ENCRYPTED = "the file system of an image is not encrypted"
_NETWORK = "an image uses DHCP on its only interface; to configure it otherwise, write its files in %post"
_REPOSITORY = "a certificate or key is a file of the installer's machine, which a recipe cannot name"
OPTION_REASONS: Mapping[tuple[str, str], str] = {
    ("%packages", "defaultPackages"): "name the environment, such as @^cloud-server-environment",
    ("%packages", "multiLib"): "packages of one architecture are installed",
    ("%packages", "resolveDeps"): "requirements are always resolved",
    ("autopart", "encrypted"): _ENCRYPTED,
    ("autopart", "passphrase"): _ENCRYPTED,
    ("bootloader", "password"): "an image must not have a password",
    ("bootloader", "_md5pass"): "an image must not have a password",
    ("bootloader", "md5pass"): "an image must not have a password",
    ("part", "encrypted"): _ENCRYPTED,
    ("part", "passphrase"): _ENCRYPTED,
    ("repo", "ignoregroups"): "groups are those of all repositories; name packages in %packages instead of groups",
}
"""Options that are refused, by command and pykickstart's name, and why."""
COMMAND_OPTION_REASONS: Mapping[str, str] = {
    **dict.fromkeys(("autopart", "btrfs", "logvol", "raid"), _ENCRYPTED),
    "network": _NETWORK,
    "repo": _REPOSITORY,
    "url": _REPOSITORY,
    "part": "an image has one root file system, on a new disk",
}
"""Why the remaining options of a command are refused."""
