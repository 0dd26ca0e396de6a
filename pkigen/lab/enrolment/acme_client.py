"""The ACME client of an appliance (RFC 8555): an order for its names, which it proves with http-01."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from pkigen.enrolment.acme.jose import encode, jwk_of
from pkigen.enrolment.acme.orders import key_authorization
from pkigen.lab.enrolment.http_challenges import HttpChallenges
from pkigen.lab.enrolment.request import (
    CertificateRequest,
    EnrolmentFailed,
    enrolment_session,
    failure,
    retry_after,
)
from pkigen.lab.timing import CancelToken

_MEDIA_TYPE = "application/jose+json"
_BAD_NONCE = "urn:ietf:params:acme:error:badNonce"
_MOST_NONCES = 5
_POLL_SECONDS = 20.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_COORDINATE_BYTES = 32


@dataclass
class AcmeClient:
    """A client of one directory, with an account whose key it keeps.

    ``external`` is the identifier and the key of an external account, if the directory requires one.
    ``cancel_token`` ends the waits between two polls.
    """

    directory_url: str
    trust: Path
    challenges: HttpChallenges
    cancel_token: CancelToken
    external: tuple[str, bytes] | None = field(default=None, repr=False)
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    def enroll(self, request: CertificateRequest) -> tuple[bytes, ...]:
        """Return the certificate and its chain (DER); EnrolmentFailed if there is none."""
        with enrolment_session(self.trust) as http:
            order = _Order(self, http)
            chain = x509.load_pem_x509_certificates(order.certificate(request))
            return tuple(one.public_bytes(Encoding.DER) for one in chain)


class _Order:
    """One order, from the account to the certificate."""

    def __init__(self, client: AcmeClient, http: httpx.Client) -> None:
        self._client = client
        self._http = http
        self._nonce = ""
        self._kid = ""
        self._jwk = jwk_of(client.key.public_key())
        response = http.get(client.directory_url)
        self._directory = _object(response)

    def certificate(self, request: CertificateRequest) -> bytes:
        """Return the certificate and its chain (PEM)."""
        self._kid = self._account()
        identifiers = [{"type": _kind(host), "value": host} for host in request.hosts]
        response = self._post(self._directory["newOrder"], {"identifiers": identifiers})
        url, order = response.headers["location"], _object(response)
        for authorization in order["authorizations"]:
            self._authorize(authorization)
        order = self._poll(url, "pending")
        if order["status"] != "ready":
            raise EnrolmentFailed(f"the order is {order['status']}{_reason(order)}")
        self._post(order["finalize"], {"csr": encode(request.as_der())})
        order = self._poll(url, "ready", "processing")
        if order["status"] != "valid":
            raise EnrolmentFailed(f"the order is {order['status']}{_reason(order)}")
        return self._post(order["certificate"]).content

    def _account(self) -> str:
        """Return the URL of the account, which is created if there is none for the key."""
        url = self._directory["newAccount"]
        payload: dict[str, Any] = {"termsOfServiceAgreed": True}
        if self._client.external is not None:
            kid, secret = self._client.external
            header, content = {"alg": "HS256", "kid": kid, "url": url}, json.dumps(self._jwk).encode()
            payload["externalAccountBinding"] = _jws(
                header, content, lambda data: hmac.digest(secret, data, "sha256")
            )
        return str(self._post(url, payload).headers["location"])

    def _authorize(self, url: str) -> None:
        authorization = _object(self._post(url))
        if authorization["status"] == "valid":
            return
        offered = [one for one in authorization["challenges"] if one["type"] == "http-01"]
        if not offered:
            raise EnrolmentFailed("the server does not offer the challenge http-01")
        challenge = offered[0]
        text = key_authorization(self._jwk, challenge["token"])
        with self._client.challenges.published(challenge["token"], text):
            self._post(challenge["url"], {})
            authorization = self._poll(url, "pending")
        if authorization["status"] != "valid":
            failed: dict[str, Any] = next((one for one in authorization["challenges"] if "error" in one), {})
            name = authorization["identifier"]["value"]
            raise EnrolmentFailed(
                f"the authorization of {name} is {authorization['status']}{_reason(failed)}"
            )

    def _poll(self, url: str, *unfinished: str) -> dict[str, Any]:
        """Return a resource once it is in none of the states; EnrolmentFailed if that takes too long."""
        ends, pause = time.monotonic() + _POLL_SECONDS, _FIRST_PAUSE
        while True:
            response = self._post(url)
            resource = _object(response)
            if resource["status"] not in unfinished:
                return resource
            demanded = retry_after(response)
            if demanded is not None and demanded > _POLL_SECONDS:
                raise EnrolmentFailed(f"the server still reports '{resource['status']}'", demanded)
            if time.monotonic() > ends or self._client.cancel_token.is_cancelled:
                raise EnrolmentFailed(f"after {_POLL_SECONDS:g} s the server reports '{resource['status']}'")
            with suppress(TimeoutError):
                self._client.cancel_token.wait_for(Future[None](), pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _post(self, url: str, payload: Mapping[str, Any] | None = None) -> httpx.Response:
        """Send a signed message (RFC 8555, 6.2), again after badNonce; without a payload, a POST-as-GET."""
        content = b"" if payload is None else json.dumps(payload).encode()
        for _ in range(_MOST_NONCES):
            if not self._nonce:
                self._nonce = self._http.head(self._directory["newNonce"]).headers["replay-nonce"]
            account = {"kid": self._kid} if self._kid else {"jwk": self._jwk}
            header = {"alg": "ES256", "nonce": self._nonce, "url": url, **account}
            body = json.dumps(_jws(header, content, self._signature))
            response = self._http.post(url, content=body, headers={"Content-Type": _MEDIA_TYPE})
            self._nonce = response.headers.get("replay-nonce", "")
            if response.is_success:
                return response
            problem = _problem(response)
            if problem.get("type") != _BAD_NONCE:
                break
        raise failure(response, _words(problem))

    def _signature(self, data: bytes) -> bytes:
        pair = decode_dss_signature(self._client.key.sign(data, ec.ECDSA(SHA256())))
        return b"".join(number.to_bytes(_COORDINATE_BYTES) for number in pair)


def _jws(header: Mapping[str, Any], content: bytes, sign: Callable[[bytes], bytes]) -> dict[str, str]:
    """Return a message in the flattened JSON serialization (RFC 7515, 7.2.2)."""
    protected, payload = encode(json.dumps(header).encode()), encode(content)
    signature = encode(sign(f"{protected}.{payload}".encode("ascii")))
    return {"protected": protected, "payload": payload, "signature": signature}


def _kind(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        return "dns"
    return "ip"


def _object(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object in a response; EnrolmentFailed for an error, ValueError for anything else."""
    if not response.is_success:
        raise failure(response, _words(_problem(response)))
    value = response.json()
    if not isinstance(value, dict):
        raise ValueError("a JSON object is missing")
    return value


def _problem(response: httpx.Response) -> dict[str, Any]:
    """Return the problem document of a response; an empty one if it has none."""
    try:
        value = response.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _words(problem: Mapping[str, Any]) -> str:
    """Return the type and the detail of a problem document."""
    kind, detail = str(problem.get("type", "")).rpartition(":")[2], str(problem.get("detail", ""))
    return ": ".join(part for part in (kind, detail) if part)


def _reason(resource: Mapping[str, Any]) -> str:
    words = _words(resource.get("error") or {})
    return f": {words}" if words else ""
