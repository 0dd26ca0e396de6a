"""Clients of MQTT brokers: mosquitto, and emqtt-bench."""

from __future__ import annotations

from pkigen.environment.environment import Case
from pkigen.export.case_files import read_case_files
from pkigen.export.draft import Draft, read_bytes
from pkigen.export.target import fleet_target


@fleet_target("mosquitto.conf.j2", "publish.sh.j2", start="mosquitto -c mosquitto.conf")
def mosquitto(draft: Draft) -> None:
    """mosquitto.conf with client certificates and CRLs, and a certificate and key for each client"""
    fleet = draft.members
    for member in fleet:
        draft.add(
            f"private/{member.name}.crt", (member.certificate + fleet.intermediates).encode(), secret=True
        )
        draft.add(f"private/{member.name}.key", fleet.key(member).encode(), secret=True)
        draft.exported.append(member.name)
    draft.trust()
    draft.add("crls.pem", read_bytes(draft.given.environment.folder / "crls.pem"))
    broker = _broker(draft)
    if broker is None:
        draft.notes.append("the profile has no certificate for a TLS server: add one for the broker")
        return
    files = read_case_files(broker, draft.given.passphrases)
    draft.add("broker/broker.crt", files.full)
    draft.add("broker/broker.key", files.key, secret=True)
    draft.render("mosquitto.conf", "mosquitto.conf.j2")
    draft.render("publish.sh", "publish.sh.j2", broker=broker.host)


def _broker(draft: Draft) -> Case | None:
    """Return the first certificate of the profile that a TLS server can present, and that is valid."""
    cases = draft.given.environment.cases()
    return next((one for one in cases if one.is_for_servers and one.accepted and one.fault is None), None)


@fleet_target("run.sh.j2", start="sh run.sh conn")
def emqtt_bench(draft: Draft) -> None:
    """A directory with certificate and key for each client, and a script that starts emqtt_bench with them"""
    fleet = draft.members
    for member in fleet:
        full = member.certificate + fleet.intermediates
        draft.add(f"private/{member.name}/cert.pem", full.encode(), secret=True)
        draft.add(f"private/{member.name}/key.pem", fleet.key(member).encode(), secret=True)
        draft.exported.append(member.name)
    draft.trust()
    draft.render("run.sh", "run.sh.j2")
