"""JMeter, 2.13 or later."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.fleet_table import table
from pkigen.export.key_stores import passphrase, trust_anchors
from pkigen.export.target import fleet_target
from pkigen.formats import pem
from pkigen.formats.pkcs12 import KeyStoreWriter, trust_store


@fleet_target(
    "plan.jmx.j2",
    "system.properties.j2",
    start="jmeter -n -t plan.jmx -S private/system.properties -J https.use.cached.ssl.context=false",
)
def jmeter(draft: Draft) -> None:
    """One PKCS#12 key store with an alias for each certificate, a CSV file with the aliases, a test plan"""
    fleet, given = draft.members, draft.given
    store = KeyStoreWriter([one.data for one in pem.blocks(fleet.chain)], given.new_passphrase)
    for member in fleet:
        store.add(member.name, fleet.pkcs8(member), next(pem.blocks(member.certificate.encode())).data)
        draft.exported.append(member.name)
    draft.add("private/clients.p12", store.file(), secret=True)
    draft.add("aliases.csv", table(fleet, ("alias", "serial", "fault", "expected")))
    anchors = trust_store(trust_anchors(draft), given.environment.name, given.new_passphrase)
    draft.add("truststore.p12", anchors)
    words = passphrase(draft)
    draft.render("private/system.properties", "system.properties.j2", secret=True, passphrase=words)
    draft.render("plan.jmx", "plan.jmx.j2", count=len(draft.exported))
