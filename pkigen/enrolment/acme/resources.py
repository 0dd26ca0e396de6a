"""The resources of a directory over HTTP: authentication of requests, nonces, and problem documents."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pkigen.enrolment.acme import accounts, certificates, jose, orders
from pkigen.enrolment.acme.faulty_replies import SLOW, FaultyReplies, applied
from pkigen.enrolment.acme.problems import Problem, malformed
from pkigen.enrolment.acme.renewal import renewal_info
from pkigen.enrolment.acme.service import ACCOUNT, AcmeService, Call, Reply
from pkigen.enrolment.faults import RequestFaults
from pkigen.enrolment.rate_limits import RateLimited
from pkigen.environment.enrol import Busy
from pkigen.errors import PkigenError
from pkigen.profile.enrolment import Template

MAX_BODY = 64 * 1024
_MEDIA_TYPE = "application/jose+json"
_PROBLEM = "application/problem+json"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_log = logging.getLogger(__name__)

Handler = Callable[[AcmeService, Call], Reply]

RESOURCES: Mapping[str, tuple[str, Handler, str]] = {
    "new-account": ("new-account", accounts.new_account, "jwk"),
    "new-order": ("new-order", orders.new_order, "kid"),
    "revoke-cert": ("revoke-cert", certificates.revoke, "any"),
    "key-change": ("key-change", accounts.key_change, "kid"),
    "account": ("account/{id}", accounts.account, "kid"),
    "orders": ("account/{id}/orders", accounts.orders_of, "kid"),
    "order": ("order/{id}", orders.order, "kid"),
    "finalize": ("order/{id}/finalize", certificates.finalize, "kid"),
    "authz": ("authz/{id}", orders.authorization, "kid"),
    "challenge": ("challenge/{id}/{number}", orders.challenge, "kid"),
    "certificate": ("certificate/{id}", certificates.download, "kid"),
    "alternate": ("certificate/{id}/{number}", certificates.download, "kid"),
}
"""The resources that accept POST: path, handler, and the header parameter that names the key."""

_SLOW = ("finalize", "revoke-cert")
"""The resources that wait for the environment's lock. The others take less time than a change of threads."""


class Resources:
    """The HTTP resources of a directory."""

    def __init__(self, service: AcmeService) -> None:
        self._service = service
        self._root = f"/acme/{service.template.name}"
        self._faults = FaultyReplies(service)

    def routes(self) -> list[Route]:
        """Return the routes below /acme/TEMPLATE."""
        plain = {
            "directory": self._directory,
            "new-nonce": self._new_nonce,
            "renewal-info/{id}": self._renewal_info,
        }
        signed = {path: self._endpoint(name) for name, (path, _, _) in RESOURCES.items()}
        return [
            *(Route(f"{self._root}/{path}", one, methods=["GET", "HEAD"]) for path, one in plain.items()),
            *(Route(f"{self._root}/{path}", one, methods=["POST"]) for path, one in signed.items()),
        ]

    def _base(self, request: Request) -> str:
        host = request.headers.get("host", "")
        return f"{request.scope['scheme']}://{host}{self._root}"

    async def _directory(self, request: Request) -> Response:
        """Return the directory (RFC 8555, 7.1.1)."""
        base = self._base(request)
        meta: dict[str, Any] = {
            "externalAccountRequired": bool(self._service.settings.eab),
            "profiles": {name: _description(one) for name, one in self._service.profiles().items()},
        }
        document = {
            "newNonce": f"{base}/new-nonce",
            "newAccount": f"{base}/new-account",
            "newOrder": f"{base}/new-order",
            "revokeCert": f"{base}/revoke-cert",
            "keyChange": f"{base}/key-change",
            "renewalInfo": f"{base}/renewal-info",
            "meta": meta,
        }
        faults = self._faults.of_request(request, "directory")
        await _delay(faults)
        return self._response(base, self._faults.after(faults, Reply(document)))

    async def _new_nonce(self, request: Request) -> Response:
        faults = self._faults.of_request(request, "new-nonce")
        await _delay(faults)
        reply = Reply(status=200 if request.method == "HEAD" else 204, media_type="")
        return self._response(self._base(request), self._faults.after(faults, reply), faults)

    async def _renewal_info(self, request: Request) -> Response:
        base = self._base(request)
        faults = self._faults.of_request(request, "renewal-info")
        await _delay(faults)
        try:
            self._faults.before(faults, None)
            reply = await run_in_threadpool(renewal_info, self._service, request.path_params["id"])
        except (Problem, RateLimited, PkigenError) as error:
            return self._problem(base, error)
        return self._response(base, self._faults.after(faults, reply))

    def _endpoint(self, name: str) -> Callable[[Request], Any]:
        async def respond(request: Request) -> Response:
            base = self._base(request)
            endpoint = "certificate" if name == "alternate" else name
            faults = self._faults.of_request(request, endpoint)
            await _delay(faults)
            try:
                body = await _body(request)
                parameters = {**request.path_params, **dict(request.query_params)}
                url = f"{request.scope['scheme']}://{request.headers.get('host', '')}{_target(request)}"
                handle = partial(self._handle, name, request, body, base, url, parameters)
                reply = await run_in_threadpool(handle) if name in _SLOW else handle()
            except (Problem, RateLimited, PkigenError) as error:
                return self._problem(base, error, faults)
            return self._response(base, reply, faults)

        return respond

    def _handle(
        self, name: str, request: Request, body: bytes, base: str, url: str, parameters: Mapping[str, str]
    ) -> Reply:
        _, handler, key = RESOURCES[name]
        call = self._authenticated(key, body, base, url, parameters)
        faults = self._faults.of_request(request, "certificate" if name == "alternate" else name, call)
        self._faults.before(faults, call)
        return self._faults.after(faults, handler(self._service, replace(call, faults=faults)))

    def _authenticated(
        self, key: str, body: bytes, base: str, url: str, parameters: Mapping[str, str]
    ) -> Call:
        """Return the call of a signed message (RFC 8555, 6.2 to 6.5); Problem if it is not authentic."""
        jws = jose.parse(body)
        header = jws.header
        names = [name for name in ("jwk", "kid") if name in header]
        if len(names) != 1 or key not in ("any", names[0]):
            expected = "either jwk or kid" if key == "any" else key
            raise malformed(f"the protected header must have {expected} to name the key")
        if header.get("url") != url:
            raise Problem("unauthorized", f"the URL in the protected header must be {url}")
        if not self._service.nonces.use(header.get("nonce")):
            raise Problem("badNonce", "the nonce is unknown or has been used; use the one of this response")
        if names == ["jwk"]:
            jws.verify(jose.public_key(header["jwk"]))
            return Call(base, jws, parameters, key=header["jwk"])
        account_id, account = self._account(base, header["kid"])
        jws.verify(jose.stored_key(account["jwk"]))
        if account["status"] != "valid":
            raise Problem("unauthorized", "the account is deactivated", status=401)
        return Call(base, jws, parameters, account_id, account)

    def _account(self, base: str, kid: object) -> tuple[str, Mapping[str, Any]]:
        prefix = f"{base}/account/"
        account_id = kid.removeprefix(prefix) if isinstance(kid, str) and kid.startswith(prefix) else ""
        account = self._service.state.get(ACCOUNT, account_id)
        if account is None or account["directory"] != self._service.template.name:
            raise Problem("accountDoesNotExist", "the account (kid) does not exist")
        return account_id, account

    def _response(self, base: str, reply: Reply, nonce_for: RequestFaults | None = None) -> Response:
        """Return the response; with a nonce, unless a fault of the request removes it."""
        headers = {**_HEADERS, **reply.headers}
        if nonce_for is not None and not _has_no_nonce(nonce_for):
            headers["Replay-Nonce"] = self._service.nonces.new()
        content = reply.data
        if reply.document is not None:
            content = json.dumps(reply.document).encode("ascii") + b"\n"
        response = Response(content, reply.status, headers, media_type=reply.media_type or None)
        for link in (f'<{base}/directory>;rel="index"', *reply.links):
            response.headers.append("Link", link)
        return response

    def _problem(
        self, base: str, error: Problem | RateLimited | PkigenError, faults: RequestFaults | None = None
    ) -> Response:
        if isinstance(error, Busy):
            headers = {"Retry-After": str(certificates.BUSY_SECONDS)}
            error = Problem("serverInternal", str(error), status=503, headers=headers)
        elif isinstance(error, RateLimited):
            error = Problem("rateLimited", error.detail, headers=error.headers)
        elif not isinstance(error, Problem):
            _log.warning("%s", error)
            error = Problem("serverInternal", str(error))
        reply = Reply(error.document(), error.status, error.headers, media_type=_PROBLEM)
        return self._response(base, reply, faults)


async def _delay(faults: RequestFaults) -> None:
    """Wait if a fault requires that."""
    values = applied(faults, SLOW)
    if values is not None and isinstance(values["by"], timedelta):
        await asyncio.sleep(values["by"].total_seconds())


def _has_no_nonce(faults: RequestFaults) -> bool:
    return faults.endpoint != "new-nonce" and applied(faults, "acme-nonce-missing") is not None


def _description(template: Template) -> str:
    return f"certificates of the template {template.name}"


def _target(request: Request) -> str:
    """Return the path and the query as the client sent them."""
    query: str = request.scope["query_string"].decode("latin-1")
    path: str = (request.scope.get("raw_path") or request.scope["path"].encode()).decode("latin-1")
    return path + (f"?{query}" if query else "")


async def _body(request: Request) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE:
        raise Problem("malformed", f"the Content-Type must be {_MEDIA_TYPE}", status=415)
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                raise Problem("malformed", f"the body is larger than {MAX_BODY // 1024} KiB", status=413)
    except ClientDisconnect as error:
        raise HTTPException(400, "the request ended before its body was complete") from error
    return bytes(body)
