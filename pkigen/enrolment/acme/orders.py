"""Orders, authorizations and challenges (RFC 8555, 7.4, 7.5)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from pkigen.clock import utc_now
from pkigen.enrolment.acme import jose
from pkigen.enrolment.acme.problems import Problem, malformed
from pkigen.enrolment.acme.renewal import check_replaced
from pkigen.enrolment.acme.service import (
    ACCOUNT,
    AUTHORIZATION,
    ORDER,
    AcmeService,
    Call,
    Reply,
    new_id,
    timestamp,
)
from pkigen.enrolment.acme.validation.addresses import ip_of
from pkigen.profile.enrolment import Challenge, Template

MOST_IDENTIFIERS = 100
MOST_OPEN_ORDERS = 1000
"""Unfinished orders of an account."""

LIFE = timedelta(days=1)
"""Time until an unfinished order expires."""

RETRY_SECONDS = 1
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_DNS_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")

Record = dict[str, Any]


def new_order(service: AcmeService, call: Call) -> Reply:
    """Create an order with one authorization for each identifier."""
    payload = call.jws.object()
    identifiers = _identifiers(payload.get("identifiers"))
    if payload.get("notBefore") is not None or payload.get("notAfter") is not None:
        raise malformed("notBefore and notAfter are not supported: the template sets the validity period")
    profile = payload.get("profile")
    profiles = service.profiles()
    if profile is not None and (not isinstance(profile, str) or profile not in profiles):
        raise Problem("invalidProfile", f"the profile must be one of {', '.join(profiles)}")
    template = service.template if profile is None else profiles[profile]
    challenges = [_challenges(template, identifier) for identifier in identifiers]
    _check_allowed(template, identifiers, challenges)
    service.limits.orders.check(call.account_id, "new orders of the account")
    for identifier in identifiers:
        name = identifier["value"].removeprefix("*.")
        service.limits.failures.check(f"{call.account_id} {name}", f"failed validations of {name}")
    order_id, expires = new_id(), timestamp(utc_now() + LIFE)
    with service.state.transaction():
        _check_open_orders(service, call)
        service.limits.orders.count(call.account_id)
        replaces = payload.get("replaces")
        if replaces is not None:
            check_replaced(service, call, replaces, identifiers)
        authorizations = [
            _new_authorization(service, order_id, call.account_id, identifier, kinds, expires)
            for identifier, kinds in zip(identifiers, challenges, strict=True)
        ]
        order = {
            "account": call.account_id,
            "status": "pending",
            "expires": expires,
            "identifiers": identifiers,
            "authorizations": authorizations,
            "profile": profile,
            "replaces": replaces,
        }
        service.state.put(ORDER, order_id, order, owner=call.account_id)
    headers = {"Location": call.url("order", order_id)}
    return Reply(order_document(call, order_id, order), 201, headers)


def _check_open_orders(service: AcmeService, call: Call) -> None:
    if _open_orders(service, call) < MOST_OPEN_ORDERS:
        return
    _forget_expired(service, call.account_id)
    if _open_orders(service, call) >= MOST_OPEN_ORDERS:
        text = f"the account has {MOST_OPEN_ORDERS} unfinished orders; finish some, or deactivate it"
        raise Problem("rateLimited", text, headers={"Retry-After": "60"})


def _open_orders(service: AcmeService, call: Call) -> int:
    return service.state.count_status(ORDER, call.account_id, ("pending", "ready"))


def _forget_expired(service: AcmeService, account_id: str) -> None:
    """Delete the expired orders of an account that have no certificate, with their authorizations."""
    after, page = 0, service.state.owned(ORDER, account_id)
    while page:
        for after, order_id, data in page:  # noqa: B007  the last one begins the next page
            if data["status"] != "valid" and _is_past(data["expires"]):
                for authorization_id in data["authorizations"]:
                    service.state.delete(AUTHORIZATION, authorization_id)
                service.state.delete(ORDER, order_id)
        page = service.state.owned(ORDER, account_id, after=after)


def order(service: AcmeService, call: Call) -> Reply:
    """Return an order."""
    call.require_get()
    data = own_order(service, call)
    headers = {"Retry-After": str(RETRY_SECONDS)} if data["status"] == "processing" else {}
    return Reply(order_document(call, call.parameters["id"], data), headers=headers)


def own_order(service: AcmeService, call: Call) -> Record:
    """Return the order that a call names; Problem if the account has none with this ID."""
    data = service.state.get(ORDER, call.parameters["id"])
    if data is None or data["account"] != call.account_id:
        raise Problem("unauthorized", "the account has no such order", status=404)
    if data["status"] in ("pending", "ready") and _is_past(data["expires"]):
        data["status"] = "invalid"
        data["error"] = Problem("malformed", "the order has expired").document()
    return data


def order_document(call: Call, order_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON object of an order."""
    document = {
        "status": data["status"],
        "expires": data["expires"],
        "identifiers": data["identifiers"],
        "authorizations": [call.url("authz", one) for one in data["authorizations"]],
        "finalize": call.url("order", order_id, "finalize"),
    }
    document |= {name: data[name] for name in ("profile", "replaces", "error") if data.get(name)}
    if data.get("certificate"):
        document["certificate"] = call.url("certificate", data["certificate"])
    return document


def authorization(service: AcmeService, call: Call) -> Reply:
    """Return or deactivate an authorization."""
    authorization_id = call.parameters["id"]
    with service.state.transaction():
        data = _own_authorization(service, call)
        if not call.is_get:
            if call.jws.object().get("status") != "deactivated":
                raise malformed("the status of an authorization can only be changed to 'deactivated'")
            if data["status"] not in ("pending", "valid"):
                raise malformed(f"the authorization is {data['status']}")
            data["status"] = "deactivated"
            service.state.put(AUTHORIZATION, authorization_id, data, owner=data["order"])
            update_order(service, data["order"])
    is_waiting = any(one["status"] == "processing" for one in data["challenges"])
    headers = {"Retry-After": str(RETRY_SECONDS)} if is_waiting else {}
    return Reply(_authorization_document(call, authorization_id, data), headers=headers)


def challenge(service: AcmeService, call: Call) -> Reply:
    """Return a challenge; a payload ``{}`` starts its validation."""
    authorization_id, number = call.parameters["id"], call.parameters["number"]
    is_new = False
    with service.state.transaction():
        data = _own_authorization(service, call)
        if not number.isascii() or not number.isdigit() or not 0 <= int(number[:3]) < len(data["challenges"]):
            raise Problem("malformed", "there is no such challenge", status=404)
        entry = data["challenges"][int(number)]
        if not call.is_get:
            call.jws.object()
            is_new = data["status"] == "pending" and entry["status"] == "pending"
            if is_new:
                entry["status"] = "processing"
                service.state.put(AUTHORIZATION, authorization_id, data, owner=data["order"])
    if is_new:
        service.validate(authorization_id, int(number))
    links = [f'<{call.url("authz", authorization_id)}>;rel="up"']
    headers = {"Retry-After": str(RETRY_SECONDS)} if entry["status"] == "processing" else {}
    document = _challenge_document(call, authorization_id, int(number), entry)
    return Reply(document, headers=headers, links=links)


def record_validation(
    service: AcmeService, authorization_id: str, number: int, problem: Problem | None
) -> None:
    """Store the result of a validation, and change the authorization and its order accordingly."""
    with service.state.transaction():
        data = service.state.get(AUTHORIZATION, authorization_id)
        if data is None or data["status"] != "pending":
            return
        entry = data["challenges"][number]
        if problem is None:
            entry |= {"status": "valid", "validated": timestamp(utc_now())}
            data["status"] = "valid"
        else:
            entry |= {"status": "invalid", "error": problem.document()}
            data["status"] = "invalid"
            service.limits.failures.count(f"{data['account']} {data['identifier']['value']}")
        service.state.put(AUTHORIZATION, authorization_id, data, owner=data["order"])
        update_order(service, data["order"])


def update_order(service: AcmeService, order_id: str) -> None:
    """Change the status of a pending order to that of its authorizations."""
    data = service.state.get(ORDER, order_id)
    if data is None or data["status"] not in ("pending", "ready"):
        return
    every = [service.state.get(AUTHORIZATION, one) or {} for one in data["authorizations"]]
    failed = [one for one in every if one.get("status") in ("invalid", "deactivated", "revoked", "expired")]
    if failed:
        data["status"] = "invalid"
        errors = [entry["error"] for entry in failed[0].get("challenges", ()) if "error" in entry]
        deactivated = Problem("unauthorized", "an authorization was deactivated").document()
        data["error"] = errors[0] if errors else deactivated
    elif all(one.get("status") == "valid" for one in every):
        data["status"] = "ready"
    service.state.put(ORDER, order_id, data, owner=data["account"])


def _own_authorization(service: AcmeService, call: Call) -> Record:
    data = service.state.get(AUTHORIZATION, call.parameters["id"])
    if data is None or data["account"] != call.account_id:
        raise Problem("unauthorized", "the account has no such authorization", status=404)
    if data["status"] == "pending" and _is_past(data["expires"]):
        data["status"] = "expired"
    return data


def _new_authorization(
    service: AcmeService,
    order_id: str,
    account_id: str,
    identifier: Mapping[str, str],
    kinds: Sequence[Challenge],
    expires: str,
) -> str:
    authorization_id = new_id()
    name, is_wildcard = identifier["value"], identifier["value"].startswith("*.")
    data = {
        "account": account_id,
        "order": order_id,
        "identifier": {**identifier, "value": name.removeprefix("*.")},
        "wildcard": is_wildcard,
        "status": "pending",
        "expires": expires,
        "challenges": [
            {"type": kind, "token": secrets.token_urlsafe(32), "status": "pending"} for kind in kinds
        ],
    }
    service.state.put(AUTHORIZATION, authorization_id, data, owner=order_id)
    return authorization_id


def _authorization_document(call: Call, authorization_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    document = {
        "status": data["status"],
        "expires": data["expires"],
        "identifier": data["identifier"],
        "challenges": [
            _challenge_document(call, authorization_id, number, entry)
            for number, entry in enumerate(data["challenges"])
        ],
    }
    return {**document, "wildcard": True} if data["wildcard"] else document


def _challenge_document(
    call: Call, authorization_id: str, number: int, entry: Mapping[str, Any]
) -> dict[str, Any]:
    return {**entry, "url": call.url("challenge", authorization_id, number)}


def _identifiers(value: object) -> list[dict[str, str]]:
    """Return the identifiers of an order in their canonical form; Problem for invalid ones."""
    if not isinstance(value, list) or not 0 < len(value) <= MOST_IDENTIFIERS:
        raise malformed(f"'identifiers' must be a list of 1 to {MOST_IDENTIFIERS} identifiers")
    identifiers = list[dict[str, str]]()
    for one in value:
        if not isinstance(one, Mapping) or not isinstance(one.get("value"), str):
            raise malformed("an identifier must be an object with 'type' and 'value'")
        kind, text = one.get("type"), one["value"].lower()
        if kind == "ip":
            address = ip_of(text)
            if address is None or "[" in text or "%" in text:
                raise malformed("the value of an identifier of type ip must be an IP address")
            identifiers.append({"type": "ip", "value": str(address)})
        elif kind == "dns":
            if len(text) > 253 or not _DNS_NAME.fullmatch(text) or ip_of(text) is not None:
                raise malformed("the value of an identifier of type dns must be a host name")
            identifiers.append({"type": "dns", "value": text})
        else:
            raise Problem("unsupportedIdentifier", "the types of identifiers are dns and ip")
    return [one for number, one in enumerate(identifiers) if one not in identifiers[:number]]


def _challenges(template: Template, identifier: Mapping[str, str]) -> list[Challenge]:
    """Return the challenges of the template that can validate an identifier."""
    assert template.settings.acme is not None
    permitted = template.settings.acme.challenges
    if identifier["value"].startswith("*."):
        return [kind for kind in permitted if kind == "dns-01"]
    return [kind for kind in permitted if kind != "dns-01" or identifier["type"] == "dns"]


def _check_allowed(
    template: Template, identifiers: Sequence[Mapping[str, str]], challenges: Sequence[Sequence[Challenge]]
) -> None:
    """Raise Problem for identifiers that the template does not allow, or that no challenge can validate."""
    refused = list[tuple[Mapping[str, str], str, str]]()
    patterns = template.settings.names
    for identifier, kinds in zip(identifiers, challenges, strict=True):
        value = identifier["value"]
        if patterns and not any(fnmatchcase(value, pattern.lower()) for pattern in patterns):
            reason = f"the template allows {', '.join(patterns)}"
        elif not kinds:
            reason = "no challenge of the template can validate it"
        else:
            continue
        refused.append((identifier, "rejectedIdentifier", f"'{value}' is not allowed: {reason}"))
    if refused:
        detail = "; ".join(text for _, _, text in refused[:3])
        raise Problem("rejectedIdentifier", detail, identifiers=refused)


def _is_past(text: str) -> bool:
    return datetime.fromisoformat(text) <= utc_now()


def key_authorization(jwk: jose.Jwk, token: str) -> str:
    """Return the key authorization of a token (RFC 8555, 8.1)."""
    return f"{token}.{jose.thumbprint(jwk)}"


def resume_orders(service: AcmeService) -> None:
    """Make orders that a stopped server left in processing ready again: the client has no certificate yet.

    Expired orders without a certificate are deleted.
    """
    with service.state.transaction():
        own = [one for one, data in service.state.all(ACCOUNT) if data["directory"] == service.template.name]
        for account_id in own:
            _forget_expired(service, account_id)
            for order_id, data in service.state.with_status(ORDER, account_id, "processing"):
                service.state.put(ORDER, order_id, {**data, "status": "ready"}, owner=account_id)
