"""For the programs of this directory: the packages in an RPM database."""

import rpm


def installed_packages(root):
    """The headers of the packages that are installed in ``root``."""
    rpm.addMacro("_dbpath", "/usr/lib/sysimage/rpm")
    transaction = rpm.TransactionSet(root)
    transaction.setVSFlags(rpm._RPMVSF_NOSIGNATURES | rpm._RPMVSF_NODIGESTS)
    return [header for header in transaction.dbMatch() if header["name"] != "gpg-pubkey"]
