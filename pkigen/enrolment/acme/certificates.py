"""Finalization of orders, download of certificates, revocation (RFC 8555, 7.4, 7.4.2, 7.6)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pkigen.enrolment.acme import jose
from pkigen.enrolment.acme.faulty_replies import Issuance, applied
from pkigen.enrolment.acme.orders import order_document, own_order
from pkigen.enrolment.acme.problems import Problem, malformed
from pkigen.enrolment.acme.renewal import record_replacement, renewal_id
from pkigen.enrolment.acme.service import CERTIFICATE, ORDER, RENEWAL, AcmeService, Call, Reply
from pkigen.environment.enrol import Busy, Cause, Enrolled, Rejected, Requested, read_request
from pkigen.errors import InputError, PkigenError
from pkigen.formats import pem
from pkigen.model import REASON_CODES, Role
from pkigen.x509 import Certificate, Malformed

BUSY_SECONDS = 5
_PEM_CHAIN = "application/pem-certificate-chain"
_MISSING_CHAIN = 999
_REASONS = {code: reason for reason, code in REASON_CODES.items() if code not in (2, 6, 8, 10)}
"""The reasons that a subscriber can give: not those of a CA, and no hold."""

_KINDS = {
    Cause.KEY: "badPublicKey",
    Cause.NAME: "rejectedIdentifier",
}


def finalize(service: AcmeService, call: Call) -> Reply:
    """Issue the certificate of an order for a certification request."""
    order_id = call.parameters["id"]
    data = own_order(service, call)
    payload = call.jws.object()
    if data["status"] != "ready":
        raise Problem("orderNotReady", f"the order is {data['status']}; it must be ready")
    requested = _requested(payload, data, call)
    with service.state.transaction():
        current = service.state.get(ORDER, order_id)
        if current is None or current["status"] != "ready":
            raise Problem("orderNotReady", "the order is being finalized")
        service.state.put(ORDER, order_id, {**data, "status": "processing"}, owner=call.account_id)
    try:
        template = service.template if data["profile"] is None else service.profiles()[data["profile"]]
        issuance = Issuance(template, requested)
        if call.faults is not None:
            issuance = issuance.with_faults(call.faults)
        enrolled = service.enroller.issue(
            issuance.template,
            issuance.requested,
            protocol="acme",
            requester=call.account_id,
            faults=issuance.faults,
            proved=issuance.proved,
            list_now=False,
        )
    except (PkigenError, KeyError, OSError) as error:
        service.state.put(ORDER, order_id, data, owner=call.account_id)
        raise _refusal(error) from error
    data = record_certificate(service, order_id, data, enrolled)
    headers = {"Location": call.url("order", order_id)}
    return Reply(order_document(call, order_id, data), headers=headers)


def record_certificate(
    service: AcmeService, order_id: str, data: Mapping[str, Any], enrolled: Enrolled
) -> dict[str, Any]:
    """Store the certificate of an order, which becomes valid; return the order."""
    certificate_id, identifier = _record_id(enrolled.certificate), renewal_id(enrolled.certificate)
    order = {**data, "status": "valid", "certificate": certificate_id}
    record = {
        "account": data["account"],
        "order": order_id,
        "name": enrolled.name,
        "issuer": enrolled.issuer,
        "serial": f"{enrolled.serial:x}",
        "identifiers": data["identifiers"],
        "not_before": enrolled.not_before.timestamp(),
        "not_after": enrolled.not_after.timestamp(),
        "chains": [[b64encode(one).decode("ascii") for one in chain] for chain in chains(service, enrolled)],
    }
    with service.state.transaction():
        service.state.put(CERTIFICATE, certificate_id, record, owner=data["account"])
        if identifier:
            key = f"{service.template.name}/{identifier}"
            service.state.put(RENEWAL, key, {"certificate": certificate_id})
        if data["replaces"]:
            record_replacement(service, data["replaces"], order_id)
        service.state.put(ORDER, order_id, order, owner=data["account"])
    return order


def download(service: AcmeService, call: Call) -> Reply:
    """Return a certificate with its chain; links name the alternate chains."""
    call.require_get()
    certificate_id = call.parameters["id"]
    record = service.state.get(CERTIFICATE, certificate_id)
    number = call.parameters.get("number", "0")
    if record is None or record["account"] != call.account_id:
        raise Problem("unauthorized", "the account has no such certificate", status=404)
    if not number.isascii() or not number.isdigit() or int(number[:3]) >= len(record["chains"]):
        raise Problem("malformed", "the certificate has no such chain", status=404)
    links = [
        f'<{call.url("certificate", certificate_id, *([other] if other else []))}>;rel="alternate"'
        for other in range(len(record["chains"]))
        if other != int(number[:3])
    ]
    if call.faults is not None and applied(call.faults, "acme-alternate-missing") is not None:
        links.append(f'<{call.url("certificate", certificate_id, _MISSING_CHAIN)}>;rel="alternate"')
    chain = (b64decode(one) for one in record["chains"][int(number[:3])])
    return Reply(links=links, data=b"".join(map(pem.certificate, chain)), media_type=_PEM_CHAIN)


def revoke(service: AcmeService, call: Call) -> Reply:
    """Revoke a certificate, for the account that requested it or for the key of the certificate."""
    payload = call.jws.object()
    code = payload.get("reason", 0)
    if isinstance(code, bool) or not isinstance(code, int) or code not in _REASONS:
        codes = ", ".join(map(str, _REASONS))
        raise Problem("badRevocationReason", f"the reason must be one of {codes}")
    der = jose.decode(payload.get("certificate"), "certificate")
    enrolled = _enrolled(service, der)
    if call.key is not None:
        if not _is_key_of(call.key, der):
            raise Problem("unauthorized", "the key is not that of the certificate")
    elif not _is_owner(service, call.account_id, enrolled):
        raise Problem("unauthorized", "another account requested the certificate")
    if service.enroller.revocation(enrolled) is not None:
        raise Problem("alreadyRevoked", "the certificate is already revoked")
    try:
        service.enroller.revoke(enrolled, _REASONS[code])
    except PkigenError as error:
        raise _refusal(error) from error
    return Reply(data=b"")


def chains(service: AcmeService, enrolled: Enrolled) -> Iterator[tuple[bytes, ...]]:
    """Yield the chain of a certificate without its root, and those through cross-certificates."""
    issued_by_root = len(enrolled.chain) < 2
    yield (enrolled.certificate, *(enrolled.chain if issued_by_root else enrolled.chain[:-1]))
    issuers = {one.name: one.issuers[0] for one in service.enroller.profile.authorities}
    below, name = [enrolled.certificate], enrolled.issuer
    for certificate in enrolled.chain:
        folder = service.enroller.folder / Role.AUTHORITY / name
        for path in sorted(folder.glob(f"{name}.cross-*.crt")):
            other = path.name.removeprefix(f"{name}.cross-").removesuffix(".crt")
            cross = tuple(block.data for block in pem.blocks(path.read_bytes()))
            if (service.enroller.folder / Role.AUTHORITY / other).is_dir():
                yield (*below, *cross, *service.enroller.chain(other)[:-1])
        below.append(certificate)
        name = issuers.get(name, "")
        if name not in issuers:
            return


def _requested(payload: Mapping[str, Any], order: Mapping[str, Any], call: Call) -> Requested:
    """Return the request in a payload; Problem unless it names exactly the identifiers of the order."""
    try:
        requested = read_request(jose.decode(payload.get("csr"), "csr"))
        names = {(one.kind, str(one.value).lower()) for one in requested.names}
        common_names = {value.lower() for kind, value in requested.subject_pairs if kind == "CN"}
    except (InputError, ValueError) as error:
        raise Problem("badCSR", str(error)) from None
    expected = {(one["type"], one["value"]) for one in order["identifiers"]}
    values = {value for _, value in expected}
    given = names | {pair for pair in expected if pair[1] in common_names}
    if given != expected or not common_names <= values:
        text = ", ".join(sorted({value for _, value in names} | common_names)) or "nothing"
        raise Problem("badCSR", f"the request must name {', '.join(sorted(values))}; it names {text[:500]}")
    if requested.public_key == jose.public_key_info(call.account["jwk"]):
        raise Problem("badCSR", "the key of a certificate must not be the key of the account")
    return requested


def _refusal(error: Exception) -> Problem:
    """Return the problem for an error of the environment."""
    if isinstance(error, Busy):
        headers = {"Retry-After": str(BUSY_SECONDS)}
        return Problem("serverInternal", str(error), status=503, headers=headers)
    if isinstance(error, Rejected):
        return Problem(_KINDS.get(error.cause, "badCSR"), str(error), status=400)
    if isinstance(error, InputError):
        return Problem("badCSR", str(error))
    if isinstance(error, PkigenError):
        return Problem("serverInternal", str(error))
    return Problem("serverInternal", "the certificate cannot be issued: the environment has changed")


def _enrolled(service: AcmeService, der: bytes) -> Enrolled:
    try:
        serial = Certificate(der).serial
    except Malformed as error:
        raise malformed(f"the certificate cannot be read: {error}") from None
    for issuer in service.enroller.profile.authorities:
        enrolled = service.enroller.find(issuer=issuer.name, serial=serial)
        if enrolled is not None and enrolled.certificate == der:
            return enrolled
    raise Problem("malformed", "no device requested this certificate here", status=404)


def _is_owner(service: AcmeService, account_id: str, enrolled: Enrolled) -> bool:
    record = service.state.get(CERTIFICATE, _record_id(enrolled.certificate))
    return record is not None and record["account"] == account_id


def _record_id(certificate: bytes) -> str:
    return jose.encode(sha256(certificate).digest())


def _is_key_of(jwk: jose.Jwk, der: bytes) -> bool:
    try:
        key = load_der_public_key(Certificate(der).subject_public_key_info)
        return isinstance(key, jose.PublicKey) and jose.jwk_of(key) == jose.essential(jwk)
    except (ValueError, UnsupportedAlgorithm, StopIteration, Malformed):
        return False
