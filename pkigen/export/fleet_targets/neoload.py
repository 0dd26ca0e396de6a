"""NeoLoad."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.fleet_table import table
from pkigen.export.target import fleet_target
from pkigen.formats import pem
from pkigen.inspection.conversion.render import key_store
from pkigen.x509 import Certificate


@fleet_target()
def neoload(draft: Draft) -> None:
    """A PKCS#12 file for each user, and a CSV file with their paths"""
    fleet, passphrase = draft.members, draft.given.new_passphrase
    above = [Certificate(one.data) for one in pem.blocks(fleet.chain)]
    for member in fleet:
        own = Certificate(next(pem.blocks(member.certificate.encode())).data)
        store = key_store(fleet.pkcs8(member), [own, *above], member.name, passphrase, legacy=False)
        draft.add(f"private/{member.name}.p12", store.data, secret=True)
        draft.exported.append(member.name)
    draft.add("users.csv", table(fleet, ("name", "file", "serial", "fault", "expected")))
    draft.trust()
