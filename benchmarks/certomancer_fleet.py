"""The fleet as certomancer wants it described: every certificate spelled out, keys in ``keys/``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

_VALID = {"valid-from": "2026-01-01T00:00:00+0000", "valid-to": "2027-01-01T00:00:00+0000"}


def config(sensors: Sequence[str]) -> str:
    """A root, an issuing CA and a certificate for each sensor, as JSON, which is YAML."""
    names = ("root", "issuing", *sensors)
    certificates = {
        "root": _certificate("root", "root", _authority()),
        "issuing": _certificate("issuing", "root", [*_authority(), _crl_of("root")]),
        **{name: _certificate(name, "issuing", _sensor(name)) for name in sensors},
    }
    fleet = {
        "keyset": "fleet",
        "entity-defaults": {
            "country-name": "US",
            "organization-name": "Contoso Inc.",
            "organizational-unit-name": "Contoso Labs",
        },
        "entities": {name: {"common-name": f"{name}.contoso.test"} for name in names},
        "certs": certificates,
        "services": {"crl-repo": {name: _crl_service(name) for name in names[:2]}},
    }
    keys = {name: {"path": f"{name}.pem"} for name in names}
    return json.dumps(
        {
            "external-url-prefix": "http://127.0.0.1:8080",
            "keysets": {"fleet": {"path-prefix": "keys", "keys": keys}},
            "pki-architectures": {"fleet": fleet},
        }
    )


def _certificate(name: str, issuer: str, extensions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "subject": name,
        "subject-key": name,
        "issuer": issuer,
        "authority-key": issuer,
        "validity": _VALID,
        "extensions": extensions,
    }


def _authority() -> list[dict[str, Any]]:
    return [
        {"id": "basic_constraints", "critical": True, "value": {"ca": True}},
        _key_usage("key_cert_sign", "crl_sign"),
    ]


def _sensor(name: str) -> list[dict[str, Any]]:
    host = {"type": "dns_name", "value": f"{name}.contoso.test"}
    return [
        _key_usage("digital_signature", "key_encipherment"),
        {"id": "extended_key_usage", "value": ["server_auth", "client_auth"]},
        {"id": "subject_alt_name", "smart-value": {"schema": "general-names", "params": [host]}},
        _crl_of("issuing"),
    ]


def _key_usage(*usages: str) -> dict[str, Any]:
    return {"id": "key_usage", "critical": True, "smart-value": {"schema": "key-usage", "params": usages}}


def _crl_of(authority: str) -> dict[str, Any]:
    params = {"crl-repo-names": [authority]}
    return {"id": "crl_distribution_points", "smart-value": {"schema": "crl-dist-url", "params": params}}


def _crl_service(authority: str) -> dict[str, str]:
    return {"for-issuer": authority, "signing-key": authority, "simulated-update-schedule": "P30D"}
