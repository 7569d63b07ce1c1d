"""A dnf 4 plugin that writes down each scriptlet and trigger that rpm reports as failed, in whatever language it is.

dnf itself ends with success when a scriptlet fails that rpm only warns about, and its log names them in many ways.
"""

import json

import dnf
import dnf.yum.rpmtrans
import rpm

REPORT = "/mnt/report/scriptlets.jsonl"


class ScriptletErrors(dnf.Plugin):
    name = "scriptlet_errors"

    def __init__(self, base, cli):
        super().__init__(base, cli)
        report = open(REPORT, "w")  # noqa: SIM115 - opened now, because rpm calls from within a chroot
        original = dnf.yum.rpmtrans.RPMTransaction.callback

        def callback(transaction, what, amount, total, key, client_data):
            if what == rpm.RPMCALLBACK_SCRIPT_ERROR:  # amount: the tag of the scriptlet; key: the package, or none
                scriptlet = rpm.tagnames.get(amount, "trigger")
                json.dump({"scriptlet": scriptlet, "package": str(getattr(key, "pkg", key) or "")}, report)
                print(file=report, flush=True)
            return original(transaction, what, amount, total, key, client_data)

        dnf.yum.rpmtrans.RPMTransaction.callback = callback
