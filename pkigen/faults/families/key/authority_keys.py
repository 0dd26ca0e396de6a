"""Keys that a CA shares with a certificate."""

from __future__ import annotations

from dataclasses import replace

from pkigen.cases.case import Case, Impossible
from pkigen.faults.registry import fault


@fault("P", "lint", "NIST SP 800-57 Part 1, 5.2")
def key_reused_leaf_ca(case: Case) -> Case:
    """The certificate has the same key as its issuing CA.

    Clients do not detect it, but an attacker who obtains the server key can issue certificates.
    Generate a separate key.
    """
    if not case.authorities:
        raise Impossible("no CA has issued it")
    issuer = case.authorities[0]
    if issuer.imported is not None:
        raise Impossible(f"the key of '{issuer.name}' is not pkigen's")
    entity = replace(case.entity, key=issuer.key, key_of=issuer.id, given=None)
    return replace(case, entity=entity)
