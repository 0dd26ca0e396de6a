"""Manifests of any size, as far as a drawing reads them; nothing is built."""

from __future__ import annotations

from typing import Any


def authority(name: str, issuer: str | None = None, **more: Any) -> dict[str, Any]:
    """An authority of a manifest."""
    return {**_entity(name, issuer), "trusted": issuer is None, **more}


def case(name: str, issuer: str | None = "root", **more: Any) -> dict[str, Any]:
    """A case of a manifest."""
    return {**_entity(name, issuer), "verdict": {"expected": "accept"}, **more}


def fault(of: str, ident: str, says: str = "It is wrong.") -> dict[str, Any]:
    """What is wrong with a case, or with an authority for it."""
    return {"id": ident, "base": of, "says": says}


def manifest(authorities: list[dict[str, Any]], cases: list[dict[str, Any]]) -> dict[str, Any]:
    """A manifest of these."""
    return {"environment": "test", "authorities": authorities, "cases": cases}


def _entity(name: str, issuer: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "issuer": issuer,
        "not_before": "2026-01-01T00:00:00Z",
        "not_after": "2027-01-01T00:00:00Z",
        "cross_certificates": [],
        "key": {"kind": "ec-p256"},
        "revoked": None,
    }
