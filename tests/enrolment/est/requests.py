"""Requests of EST clients, and what their responses contain."""

from __future__ import annotations

import base64

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from pkigen.keys import PrivateKey
from tests.certification_requests import request

TYPE = {"Content-Type": "application/pkcs10"}
BASIC = ("device", "wonderful")
SENSORS = "/.well-known/est/sensors"
OPEN = "/.well-known/est/open"


def csr(name: str = "d.contoso.test", key: PrivateKey | None = None) -> bytes:
    return request(name, [name], key, Encoding.DER)


def decoded_certificates(response: httpx.Response) -> list[x509.Certificate]:
    assert response.status_code == 200, response.text
    assert response.headers["content-transfer-encoding"] == "base64"
    return pkcs7.load_der_pkcs7_certificates(base64.b64decode(response.content, validate=True))
