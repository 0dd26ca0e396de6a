"""Requests of devices in an environment with one template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pkigen import build
from pkigen.environment.enrol import Enrolled, Enroller, read_request
from tests.certification_requests import request

PROFILE: dict[str, Any] = {
    "name": "devices",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {}},
    "enrolment": {"sensors": {"issuer": "root", "est": {}}},
}


def new_enroller(out: Path) -> Enroller:
    """Return the enroller of a new environment."""
    return Enroller(build(PROFILE, out).folder)


def issue(enroller: Enroller, name: str, renewal_of: str = "") -> Enrolled:
    """Issue a certificate as the server does, and list it in the manifest."""
    requested = read_request(request(name, [name]))
    template = enroller.templates["sensors"]
    enrolled = enroller.issue(template, requested, protocol="est", renewal_of=renewal_of, list_now=False)
    enroller.list_in_manifest()
    return enrolled


def listed(enroller: Enroller) -> dict[str, dict[str, Any]]:
    """Return the objects of the manifest by name."""
    manifest = json.loads((enroller.folder / "manifest.json").read_text("utf-8"))
    return {one["name"]: one for one in manifest["enrolled"]}
