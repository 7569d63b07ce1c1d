"""For the programs of this directory: the packages in an RPM database."""

import rpm


def installed_packages(root, database="usr/lib/sysimage/rpm"):
    """The headers of the packages that are installed in ``root``, whose ``database`` is that directory."""
    rpm.addMacro("_dbpath", f"/{database}")
    transaction = rpm.TransactionSet(root)
    transaction.setVSFlags(rpm._RPMVSF_NOSIGNATURES | rpm._RPMVSF_NODIGESTS)
    return [header for header in transaction.dbMatch() if header["name"] != "gpg-pubkey"]
