"""Applies the active faults to the requests and replies of a directory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import Request

from pkigen.clock import utc_now
from pkigen.documents.yaml_tree import Text
from pkigen.enrolment.acme.problems import Problem
from pkigen.enrolment.acme.service import ACCOUNT, AUTHORIZATION, ORDER, AcmeService, Call, Reply, timestamp
from pkigen.enrolment.faults import RequestFaults
from pkigen.environment.enrol import Requested
from pkigen.errors import InputError
from pkigen.faults import FAULTS, FaultRequest
from pkigen.faults.registry import Argument
from pkigen.formats import pem
from pkigen.profile.enrolment import Template
from pkigen.strict_json import parse_json

SLOW = "acme-slow"
_SIGNED = frozenset(
    ("new-account", "new-order", "revoke-cert", "key-change", "account", "orders", "order", "finalize")
) | {"authz", "challenge", "certificate"}
_ENDPOINTS: Mapping[str, frozenset[str]] = {
    "acme-bad-nonce": _SIGNED,
    "acme-nonce-missing": _SIGNED,
    "acme-429-seconds": _SIGNED,
    "acme-429-date": _SIGNED,
    "acme-429-past": _SIGNED,
    "acme-429-absent": _SIGNED,
    "acme-503": _SIGNED | {"directory", "new-nonce", "renewal-info"},
    "acme-500-after-finalize": frozenset({"finalize"}),
    "acme-empty-200": _SIGNED | {"directory", "renewal-info"},
    "acme-truncated-json": _SIGNED | {"directory", "renewal-info"},
    "acme-slow": _SIGNED | {"directory", "new-nonce", "renewal-info"},
    "acme-wrong-content-type": _SIGNED | {"directory", "renewal-info"},
    "acme-location-missing": frozenset({"new-account", "new-order", "finalize"}),
    "acme-directory-unknown-fields": frozenset({"directory"}),
    "acme-external-account-required": frozenset({"new-account"}),
    "acme-terms-changed": frozenset({"new-order", "finalize"}),
    "acme-processing": frozenset({"finalize", "order"}),
    "acme-ready-then-invalid": frozenset({"finalize"}),
    "acme-order-invalid": frozenset({"order", "finalize"}),
    "acme-order-expired": frozenset({"order", "finalize"}),
    "acme-account-deactivated": frozenset({"new-order", "finalize", "order", "account"}),
    "acme-orders-paged": frozenset({"orders"}),
    "acme-chain-reversed": frozenset({"certificate"}),
    "acme-chain-with-root": frozenset({"certificate"}),
    "acme-chain-without-issuer": frozenset({"certificate"}),
    "acme-alternate-missing": frozenset({"certificate"}),
    "acme-other-names": frozenset({"finalize"}),
    "acme-shorter": frozenset({"finalize"}),
    "acme-other-key": frozenset({"finalize"}),
    "acme-window-past": frozenset({"renewal-info"}),
    "acme-window-far": frozenset({"renewal-info"}),
    "acme-window-inverted": frozenset({"renewal-info"}),
    "acme-window-moving": frozenset({"renewal-info"}),
    "acme-renewal-info-404": frozenset({"renewal-info"}),
    "acme-renewal-retry-after-missing": frozenset({"renewal-info"}),
    "acme-replaces-rejected": frozenset({"new-order"}),
}
"""The endpoints where each fault has an effect."""
Values = Mapping[str, Argument]
_TERMS = "https://example.test/terms"
_FAR = timedelta(days=3650)


class FaultyReplies:
    """The faults of a directory: ``before`` refuses requests, ``after`` changes replies."""

    def __init__(self, service: AcmeService) -> None:
        self._service = service

    def of_request(self, request: Request, endpoint: str, call: Call | None = None) -> RequestFaults:
        """Return the faults for a request, whose ``call`` is known once it is authenticated."""
        faults, template = self._service.faults, self._service.template.name
        identifiers = self._identifiers(call) if faults.is_active else ()
        return RequestFaults(faults, request.scope, template, endpoint, identifiers)

    def before(self, faults: RequestFaults, call: Call | None) -> None:
        """Raise the Problem of a fault that refuses a request, or change the state that it needs."""
        if not faults.faults.is_active:
            return
        for own_id, refuse in _REFUSALS.items():
            is_replacement = call is not None and b'"replaces"' in call.jws.payload
            if own_id == "acme-replaces-rejected" and not is_replacement:
                continue
            if (values := applied(faults, own_id)) is not None:
                refuse(values)
        if call is None:
            return
        for own_id in _OF_ORDERS:
            # A finished order stays valid: the fault is for the next one.
            order = self._unfinished(call) if faults.endpoint in _ENDPOINTS[own_id] else None
            if order is not None and faults.applied(own_id) is not None:
                self._fail_order(own_id, call, order)
        if applied(faults, "acme-account-deactivated") is not None:
            data = {**call.account, "status": "deactivated"}
            self._service.state.put(ACCOUNT, call.account_id, data, owner=self._service.template.name)
            raise Problem("unauthorized", "the account is deactivated", status=401)

    def after(self, faults: RequestFaults, reply: Reply) -> Reply:
        """Return the reply with the faults of its endpoint."""
        if not faults.faults.is_active:
            return reply
        for own_id, change in _CHANGES.items():
            if own_id == "acme-processing" and (reply.document or {}).get("status") != "valid":
                continue
            if (values := applied(faults, own_id)) is not None:
                reply = change(self._service, values, reply)
        return reply

    def _identifiers(self, call: Call | None) -> tuple[str, ...]:
        """Return the names that a request is about, as far as they are known."""
        if call is None:
            return ()
        state, own_id = self._service.state, call.parameters.get("id", "")
        data: Mapping[str, Any] = state.get(ORDER, own_id) or {}
        if not data and call.jws.payload[:1] == b"{":
            try:
                data = parse_json(call.jws.payload)
            except ValueError:
                data = {}
        if authorization := state.get(AUTHORIZATION, own_id):
            data = {"identifiers": [authorization["identifier"]]}
        listed = data.get("identifiers")
        entries = listed if isinstance(listed, list) else []
        return tuple(str(one.get("value", "")).lower() for one in entries if isinstance(one, Mapping))

    def _unfinished(self, call: Call) -> dict[str, Any] | None:
        """Return the order of a request, if it is the account's and has no certificate yet."""
        order = self._service.state.get(ORDER, call.parameters["id"])
        if order is None or order["account"] != call.account_id or order["status"] == "valid":
            return None
        return order

    def _fail_order(self, own_id: str, call: Call, order: dict[str, Any]) -> None:
        problem = Problem("serverInternal", f"the order has failed (fault {own_id})")
        if own_id == "acme-order-expired":
            problem = Problem("malformed", "the order has expired")
            order["expires"] = timestamp(utc_now() - timedelta(hours=1))
        order |= {"status": "invalid", "error": problem.document()}
        self._service.state.put(ORDER, call.parameters["id"], order, owner=call.account_id)


def applied(faults: RequestFaults, own_id: str) -> Values | None:
    """Return the parameters of a fault if it applies to this request, and count it."""
    return faults.applied(own_id) if faults.endpoint in _ENDPOINTS[own_id] else None


@dataclass(frozen=True)
class Issuance:
    """How a certificate is issued, after the active faults: ``proved`` means that the key is not checked."""

    template: Template
    requested: Requested
    faults: tuple[FaultRequest, ...] = ()
    proved: bool = False

    def with_faults(self, active: RequestFaults) -> Issuance:
        """Return the issuance with the faults of the certificate of an order."""
        template, requested, faults = self.template, self.requested, active.of_certificate()
        if (values := applied(active, "acme-shorter")) is not None:
            template = template.with_keys({"valid": Text(f"{_seconds(values, 'valid')}s")})
        if applied(active, "acme-other-names") is not None:
            faults = (*faults, FaultRequest(FAULTS["san-wrong-host"]))
        has_other_key = applied(active, "acme-other-key") is not None
        if has_other_key:
            requested = _with_other_key(requested)
        return Issuance(template, requested, faults, has_other_key)


def _with_other_key(requested: Requested) -> Requested:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return replace(requested, public_key=info, der=b"")


def _seconds(values: Values, name: str = "after") -> int:
    after = values[name]
    assert isinstance(after, timedelta)
    return int(after.total_seconds())


def _bad_nonce(_values: Values) -> None:
    raise Problem("badNonce", "the nonce is unknown (fault acme-bad-nonce)")


def _limited(retry_after: Callable[[Values], dict[str, str]]) -> Callable[[Values], None]:
    def refuse(values: Values) -> None:
        raise Problem("rateLimited", "too many requests (a fault)", headers=retry_after(values))

    return refuse


def _date(values: Values) -> dict[str, str]:
    return {"Retry-After": format_datetime(utc_now() + timedelta(seconds=_seconds(values)), usegmt=True)}


def _past(_values: Values) -> dict[str, str]:
    return {"Retry-After": format_datetime(utc_now() - timedelta(hours=1), usegmt=True)}


def _external_account(_values: Values) -> None:
    raise Problem("externalAccountRequired", "the directory requires an external account binding")


def _terms(_values: Values) -> None:
    headers = {"Link": f'<{_TERMS}>;rel="terms-of-service"'}
    members = {"instance": f"{_TERMS}/agree"}
    text = "the terms of service have changed"
    raise Problem("userActionRequired", text, headers=headers, members=members)


def _replaces(_values: Values) -> None:
    raise Problem("alreadyReplaced", "another order has replaced the certificate in 'replaces'")


def _no_renewal_info(_values: Values) -> None:
    raise Problem("malformed", "there is no renewal information", status=404)


_REFUSALS: Mapping[str, Callable[[Values], None]] = {
    "acme-bad-nonce": _bad_nonce,
    "acme-429-seconds": _limited(lambda values: {"Retry-After": str(_seconds(values))}),
    "acme-429-date": _limited(_date),
    "acme-429-past": _limited(_past),
    "acme-429-absent": _limited(lambda _values: {}),
    "acme-external-account-required": _external_account,
    "acme-terms-changed": _terms,
    "acme-replaces-rejected": _replaces,
    "acme-renewal-info-404": _no_renewal_info,
}
_OF_ORDERS = ("acme-ready-then-invalid", "acme-order-invalid", "acme-order-expired")

Change = Callable[[AcmeService, Values, Reply], Reply]


def _unavailable(_service: AcmeService, values: Values, _reply: Reply) -> Reply:
    headers = {"Retry-After": str(_seconds(values))}
    return Reply(status=503, headers=headers, data=b"Service Unavailable\n", media_type="text/plain")


def _failed(_service: AcmeService, _values: Values, _reply: Reply) -> Reply:
    problem = Problem("serverInternal", "an internal error (a fault)")
    return Reply(problem.document(), 500, media_type="application/problem+json")


def _with_data(reply: Reply, data: bytes) -> Reply:
    return replace(reply, document=None, data=data)


def _empty(_service: AcmeService, _values: Values, reply: Reply) -> Reply:
    return _with_data(reply, b"")


def _truncated(_service: AcmeService, _values: Values, reply: Reply) -> Reply:
    data = reply.data if reply.document is None else json.dumps(reply.document).encode("ascii")
    return _with_data(reply, data[: len(data) // 2])


def _mislabeled(_service: AcmeService, _values: Values, reply: Reply) -> Reply:
    return replace(reply, media_type="text/html")


def _without(header: str) -> Change:
    def change(_service: AcmeService, _values: Values, reply: Reply) -> Reply:
        headers = {name: value for name, value in reply.headers.items() if name != header}
        return replace(reply, headers=headers)

    return change


def _unknown_fields(_service: AcmeService, _values: Values, reply: Reply) -> Reply:
    more = {"Adding random entries": "https://example.test/", "unknown": {"nested": [1, None]}, "number": 7}
    return replace(reply, document={**more, **(reply.document or {})})


def _processing(_service: AcmeService, _values: Values, reply: Reply) -> Reply:
    document = {name: value for name, value in (reply.document or {}).items() if name != "certificate"}
    headers = {**reply.headers, "Retry-After": "1"}
    return replace(reply, document={**document, "status": "processing"}, headers=headers)


def _chain(select: Callable[[AcmeService, list[bytes]], list[bytes]]) -> Change:
    def change(service: AcmeService, _values: Values, reply: Reply) -> Reply:
        certificates = [block.data for block in pem.blocks(reply.data)]
        return _with_data(reply, b"".join(map(pem.certificate, select(service, certificates))))

    return change


def _with_root(service: AcmeService, certificates: list[bytes]) -> list[bytes]:
    """Append the root of the chain's last certificate."""
    for authority in service.enroller.profile.authorities:
        try:
            chain = service.enroller.chain(authority.name)
        except (OSError, InputError):
            continue
        if certificates[-1] in chain[:-1]:
            return [*certificates, chain[-1]]
    return certificates


def _window(start: timedelta, end: timedelta) -> Change:
    def change(_service: AcmeService, _values: Values, reply: Reply) -> Reply:
        now = utc_now()
        window = {"start": timestamp(now + start), "end": timestamp(now + end)}
        return replace(reply, document={"suggestedWindow": window})

    return change


_HOUR = timedelta(hours=1)
_CHANGES: Mapping[str, Change] = {
    "acme-directory-unknown-fields": _unknown_fields,
    "acme-processing": _processing,
    "acme-chain-reversed": _chain(lambda _service, certificates: certificates[::-1]),
    "acme-chain-with-root": _chain(_with_root),
    "acme-chain-without-issuer": _chain(lambda _service, certificates: certificates[:1]),
    "acme-window-past": _window(-2 * _HOUR, -_HOUR),
    "acme-window-far": _window(_FAR, _FAR + _HOUR),
    "acme-window-moving": _window(24 * _HOUR, 48 * _HOUR),
    "acme-window-inverted": _window(2 * _HOUR, _HOUR),
    "acme-renewal-retry-after-missing": _without("Retry-After"),
    "acme-location-missing": _without("Location"),
    "acme-wrong-content-type": _mislabeled,
    "acme-truncated-json": _truncated,
    "acme-empty-200": _empty,
    "acme-500-after-finalize": _failed,
    "acme-503": _unavailable,
}
