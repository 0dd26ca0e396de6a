"""A minimal ACME client for tests, which can also send what no real client sends."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from pkigen.enrolment.acme.jose import encode, jwk_of
from pkigen.enrolment.acme.orders import key_authorization
from tests.certification_requests import request

MEDIA_TYPE = "application/jose+json"


def b64(value: object) -> str:
    """Encode JSON or bytes in base64url."""
    return encode(value if isinstance(value, bytes) else json.dumps(value).encode())


def sign(key: ec.EllipticCurvePrivateKey, header: Mapping[str, Any], payload: object) -> dict[str, str]:
    """Return a message that is signed with a P-256 key; the payload "" is that of a POST-as-GET."""
    protected, content = b64({"alg": "ES256", **header}), "" if payload == "" else b64(payload)
    signature = key.sign(f"{protected}.{content}".encode(), ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(signature)
    return {
        "protected": protected,
        "payload": content,
        "signature": encode(r.to_bytes(32) + s.to_bytes(32)),
    }


def bind(jwk: Mapping[str, Any], kid: str, secret: bytes, url: str) -> dict[str, str]:
    """Return an external account binding."""
    protected, payload = b64({"alg": "HS256", "kid": kid, "url": url}), b64(jwk)
    mac = hmac.HMAC(secret, hashes.SHA256())
    mac.update(f"{protected}.{payload}".encode())
    return {"protected": protected, "payload": payload, "signature": encode(mac.finalize())}


@dataclass
class AcmeClient:
    """A client of one directory; ``set_txt`` publishes a TXT record."""

    http: httpx.Client
    directory_url: str
    set_txt: Any = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    kid: str = ""
    nonce: str = ""

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key of the account."""
        return jwk_of(self.key.public_key())

    def directory(self) -> dict[str, Any]:
        """Return the directory."""
        data: dict[str, Any] = self.http.get(self.directory_url).json()
        return data

    def post(self, url: str, payload: object = "", /, **header: Any) -> httpx.Response:
        """Send a signed message; ``header`` replaces parameters of the protected header."""
        if not self.nonce:
            self.nonce = self.http.head(self.directory()["newNonce"]).headers["Replay-Nonce"]
        account = {"kid": self.kid} if self.kid else {"jwk": self.jwk}
        given = {name: value for name, value in header.items() if value is not None}
        if "jwk" in header or "kid" in header:
            account = {}
        message = sign(self.key, {"nonce": self.nonce, "url": url, **account, **given}, payload)
        return self.send(url, message)

    def send(self, url: str, message: object) -> httpx.Response:
        """Send any message."""
        response = self.http.post(url, content=json.dumps(message), headers={"Content-Type": MEDIA_TYPE})
        self.nonce = response.headers.get("Replay-Nonce", "")
        return response

    def register(self, **payload: object) -> httpx.Response:
        """Create the account."""
        response = self.post(self.directory()["newAccount"], {"termsOfServiceAgreed": True, **payload})
        if response.status_code in (200, 201):
            self.kid = response.headers["Location"]
        return response

    def order(self, *names: str, **members: object) -> httpx.Response:
        """Create an order."""
        identifiers = [{"type": "ip" if name[0].isdigit() else "dns", "value": name} for name in names]
        return self.post(self.directory()["newOrder"], {"identifiers": identifiers, **members})

    def get(self, url: str) -> dict[str, Any]:
        """Return a resource."""
        response = self.post(url)
        assert response.status_code == 200, response.text
        data: dict[str, Any] = response.json()
        return data

    def challenge(self, authorization_url: str, kind: str = "dns-01") -> dict[str, Any]:
        """Return the challenge of an authorization."""
        return next(one for one in self.get(authorization_url)["challenges"] if one["type"] == kind)

    def finished(self, url: str, *unfinished: str) -> dict[str, Any]:
        """Poll a resource until it is in none of the states."""
        ends = time.monotonic() + 20
        while (data := self.get(url))["status"] in unfinished:
            assert time.monotonic() < ends, data
            time.sleep(0.01)
        return data

    def authorize(self, order: Mapping[str, Any]) -> None:
        """Prove the control over all names of an order with dns-01."""
        for url in order["authorizations"]:
            authorization, challenge = self.get(url), self.challenge(url)
            text = key_authorization(self.jwk, challenge["token"])
            name = f"_acme-challenge.{authorization['identifier']['value']}"
            self.set_txt(name, encode(sha256(text.encode()).digest()))
            assert self.post(challenge["url"], {}).status_code == 200
            assert self.finished(url, "pending")["status"] == "valid"

    def ready(self, *names: str, **members: object) -> tuple[str, dict[str, Any]]:
        """Return the URL of a new order that is ready, and the order."""
        response = self.order(*names, **members)
        assert response.status_code == 201, response.text
        self.authorize(response.json())
        url = response.headers["Location"]
        return url, self.get(url)

    def finalize(
        self, order: Mapping[str, Any], *names: str, key: ec.EllipticCurvePrivateKey | None = None
    ) -> httpx.Response:
        """Send the certification request of an order."""
        csr = request(names[0], names, key, Encoding.DER)
        return self.post(order["finalize"], {"csr": b64(csr)})

    def issue(self, *names: str, key: ec.EllipticCurvePrivateKey | None = None, **members: object) -> bytes:
        """Return the certificate and its chain in PEM."""
        _, order = self.ready(*names, **members)
        response = self.finalize(order, *names, key=key)
        assert response.status_code == 200, response.text
        return self.post(response.json()["certificate"]).content
