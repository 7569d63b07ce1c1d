"""A dnf 4 plugin that writes down each scriptlet and trigger that rpm reports as failed, in whatever language it is.

dnf itself ends with success when a scriptlet fails that rpm only warns about, and its log names them in many ways.
"""

import json

import dnf
import dnf.yum.rpmtrans
import rpm

REPORT = "/mnt/report/scriptlets.json"


class ScriptletErrors(dnf.Plugin):
    name = "scriptlet_errors"

    def __init__(self, base, cli):
        super().__init__(base, cli)
        failed = []
        self.write(failed)
        original = dnf.yum.rpmtrans.RPMTransaction.callback

        def callback(transaction, what, amount, total, key, client_data):
            if what == rpm.RPMCALLBACK_SCRIPT_ERROR:  # amount: the tag of the scriptlet; key: the package, or none
                package = getattr(key, "pkg", key)
                failed.append({"scriptlet": rpm.tagnames.get(amount, str(amount)), "package": str(package or "")})
                self.write(failed)
            return original(transaction, what, amount, total, key, client_data)

        dnf.yum.rpmtrans.RPMTransaction.callback = callback

    def write(self, failed):
        with open(REPORT, "w") as handle:
            json.dump(failed, handle)
