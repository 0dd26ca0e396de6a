"""OCSP responses for a case, each at its own URL, as the basis of faults (RFC 6960)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put
from pkigen.cases.general_names import uri
from pkigen.model import Extension, KeyIdentifier, OcspPlan, Responder

_AIA = oids.AUTHORITY_INFORMATION_ACCESS
_SIGNING = oids.EXTENDED_KEY_USAGES["OCSPSigning"]
_NO_CHECK = Extension(oids.OCSP_NO_CHECK, False, der.null())


def answered(case: Case, **fields: Any) -> Case:
    """Return the case with an OCSP response at its own URL; ``fields`` replace fields of its plan."""
    plan = replace(case.entity.ocsp or OcspPlan(answer_url(case)), **fields)
    location = der.sequence(der.oid(oids.OCSP_ACCESS), uri(plan.url))
    extension = case.extension(_AIA)
    if extension is not None and isinstance(extension.value, KeyIdentifier):
        raise Impossible("its authority information access is not known yet")
    others = (
        [] if extension is None or not isinstance(extension.value, bytes) else der.children(extension.value)
    )
    remaining = (one for one in others if der.children(one)[0] != der.oid(oids.OCSP_ACCESS))
    case = put(case, _AIA, der.sequence(location, *remaining))
    return replace(case, entity=replace(case.entity, ocsp=plan))


def answer_url(case: Case) -> str:
    """Return the URL of the response, next to the files that the issuing CA publishes."""
    if not case.authorities:
        raise Impossible("no CA responds for a self-signed certificate")
    issuer = case.authorities[0]
    if issuer.ca_url is None or (issuer.imported is not None and issuer.imported.key is None):
        raise Impossible(f"the key of '{issuer.name}' was not imported, so it cannot sign responses")
    return f"{issuer.ca_url.rpartition('/ca/')[0]}/ocsp/{case.entity.name}"


def delegated(case: Case, **fields: Any) -> Case:
    """Return the case with a response of an authorized responder; ``fields`` change the responder."""
    return answered(case, responder=replace(Responder((_SIGNING,), (_NO_CHECK,)), **fields))
