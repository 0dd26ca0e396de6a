"""Accounts (RFC 8555, 7.3): creation with external account binding, update, key change, deactivation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pkigen.clock import utc_now
from pkigen.enrolment.acme import jose
from pkigen.enrolment.acme.faulty_replies import applied
from pkigen.enrolment.acme.problems import Problem, malformed
from pkigen.enrolment.acme.service import (
    ACCOUNT,
    KEY,
    ORDER,
    AcmeService,
    Call,
    Reply,
    new_id,
    strings,
    timestamp,
)

_MOST_ACCOUNTS = 10_000
_MOST_CONTACTS = 10
_PAGE = 100
_MAIL = re.compile(r"mailto:[^@\s,?&%]+@[^@\s,?&]+")


def new_account(service: AcmeService, call: Call) -> Reply:
    """Create an account, or return the one of the key (RFC 8555, 7.3, 7.3.1)."""
    assert call.key is not None
    payload = call.jws.object()
    key_id = f"{service.template.name}/{jose.thumbprint(call.key)}"
    with service.state.transaction():
        existing = service.state.get(KEY, key_id)
        if existing is not None:
            account = service.state.get(ACCOUNT, existing["account"]) or {}
            if account["status"] != "valid":
                raise Problem("unauthorized", "the account is deactivated", status=401)
            return _reply(call, existing["account"], account, 200)
        if payload.get("onlyReturnExisting") is True:
            raise Problem("accountDoesNotExist", "no account has this key")
        contact = _contact(payload)
        external = _external_account(service, call, payload)
        if service.state.count(ACCOUNT, service.template.name) >= _MOST_ACCOUNTS:
            text = f"the directory has {_MOST_ACCOUNTS} accounts, and permits no more"
            raise Problem("rateLimited", text, headers={"Retry-After": "3600"})
        service.limits.accounts.check("", "new accounts")
        service.limits.accounts.count("")
        account_id = new_id()
        account = {
            "status": "valid",
            "contact": contact,
            "jwk": jose.essential(call.key),
            "directory": service.template.name,
            "created": timestamp(utc_now()),
            "external": external,
            "agreed": payload.get("termsOfServiceAgreed") is True,
        }
        service.state.put(ACCOUNT, account_id, account, owner=service.template.name)
        service.state.put(KEY, key_id, {"account": account_id})
    return _reply(call, account_id, account, 201)


def account(service: AcmeService, call: Call) -> Reply:
    """Return, update or deactivate an account (RFC 8555, 7.3.2, 7.3.6)."""
    if call.parameters["id"] != call.account_id:
        raise Problem("unauthorized", "this is another account")
    with service.state.transaction():
        data = dict(call.account)
        if not call.is_get:
            payload = call.jws.object()
            if "contact" in payload:
                data["contact"] = _contact(payload)
            if payload.get("termsOfServiceAgreed") is True:
                data["agreed"] = True
            if "status" in payload and payload["status"] != "valid":
                if payload["status"] != "deactivated":
                    raise malformed("the status of an account can only be changed to 'deactivated'")
                data["status"] = "deactivated"
            service.state.put(ACCOUNT, call.account_id, data, owner=service.template.name)
    return Reply(_document(call, call.account_id, data))


def orders_of(service: AcmeService, call: Call) -> Reply:
    """Return the URLs of an account's orders, in pages (RFC 8555, 7.1.2.1)."""
    call.require_get()
    if call.parameters["id"] != call.account_id:
        raise Problem("unauthorized", "these are the orders of another account")
    cursor = call.parameters.get("cursor", "0")
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 15:
        raise malformed("the cursor is invalid")
    is_paged = call.faults is not None and applied(call.faults, "acme-orders-paged") is not None
    length = 1 if is_paged else _PAGE
    page = service.state.owned(ORDER, call.account_id, after=int(cursor), limit=length + 1)
    links = []
    if len(page) > length:
        page = page[:length]
        links = [f'<{call.url("account", call.account_id, "orders")}?cursor={page[-1][0]}>;rel="next"']
    return Reply({"orders": [call.url("order", order_id) for _, order_id, _ in page]}, links=links)


def key_change(service: AcmeService, call: Call) -> Reply:
    """Replace the key of an account (RFC 8555, 7.3.5)."""
    inner = jose.parse(call.jws.object())
    jwk, account_url = inner.header.get("jwk"), call.url("account", call.account_id)
    inner.verify(jose.public_key(jwk))
    assert isinstance(jwk, Mapping)
    payload = inner.object()
    if "kid" in inner.header or "nonce" in inner.header:
        raise malformed("the inner message must have neither kid nor nonce")
    if inner.header.get("url") != call.jws.header["url"]:
        raise malformed("the URL of the inner message must be that of the outer message")
    if payload.get("account") != account_url:
        raise malformed("'account' must be the URL of the account")
    old = payload.get("oldKey")
    jose.public_key(old)
    assert isinstance(old, Mapping)
    if jose.essential(old) != call.account["jwk"]:
        raise malformed("'oldKey' is not the key of the account")
    old_id, new_key_id = (f"{service.template.name}/{jose.thumbprint(one)}" for one in (old, jwk))
    with service.state.transaction():
        existing = service.state.get(KEY, new_key_id)
        if existing is not None:
            location = {"Location": call.url("account", existing["account"])}
            raise Problem("malformed", "another account has the new key", status=409, headers=location)
        data = {**call.account, "jwk": jose.essential(jwk)}
        service.state.put(ACCOUNT, call.account_id, data, owner=service.template.name)
        service.state.put(KEY, new_key_id, {"account": call.account_id})
        service.state.delete(KEY, old_id)
    return Reply(_document(call, call.account_id, data))


def _reply(call: Call, account_id: str, account: Mapping[str, Any], status: int) -> Reply:
    headers = {"Location": call.url("account", account_id)}
    return Reply(_document(call, account_id, account), status, headers)


def _document(call: Call, account_id: str, account: Mapping[str, Any]) -> dict[str, Any]:
    document = {
        "status": account["status"],
        "contact": account["contact"],
        "orders": call.url("account", account_id, "orders"),
        "createdAt": account["created"],
    }
    if account["external"]:
        document["externalAccountBinding"] = account["external"]
    return document


def _contact(payload: Mapping[str, Any]) -> list[str]:
    contact = strings(payload.get("contact", []), "contact", _MOST_CONTACTS)
    for url in contact:
        if not url.startswith("mailto:"):
            raise Problem("unsupportedContact", "only mailto: URLs are supported")
        if len(url) > 320 or not _MAIL.fullmatch(url):
            raise Problem("invalidContact", "the contact is not a mailto: URL with one address")
    return contact


def _external_account(service: AcmeService, call: Call, payload: Mapping[str, Any]) -> Any:
    """Verify the external account binding (RFC 8555, 7.3.4), if the template has external accounts."""
    secrets_by_id = service.settings.eab
    if not secrets_by_id:
        return None
    binding = payload.get("externalAccountBinding")
    if binding is None:
        raise Problem("externalAccountRequired", "the directory requires an external account binding")
    inner = jose.parse(binding, mac=True)
    secret = secrets_by_id.get(str(inner.header.get("kid")))
    if secret is None:
        raise Problem("unauthorized", "the external account does not exist: its key identifier is unknown")
    inner.verify_mac(mac_key(secret))
    if inner.header.get("url") != call.jws.header["url"] or "nonce" in inner.header:
        raise malformed("the external account binding must have the URL of the outer message, and no nonce")
    bound = inner.object()
    jose.public_key(bound)
    assert call.key is not None
    if jose.essential(bound) != jose.essential(call.key):
        raise malformed("the external account binding is for another key")
    return dict(binding)


def mac_key(secret: bytes) -> bytes:
    """Return the key of an external account: clients take it in base64url; any other string is used as is."""
    try:
        return jose.decode(secret.decode("ascii").rstrip("="))
    except (Problem, UnicodeDecodeError):
        return secret
