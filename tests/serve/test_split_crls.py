"""Certificates of split CRLs, verified with what their distribution points lead to."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from pkigen.environment.build.build import build
from pkigen.environment.revoke import revoke
from pkigen.inspection.path.verify import Verification, verify
from pkigen.profile import load
from pkigen.serve import serve


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _verified(env: Path, name: str) -> tuple[str, ...]:
    """The rules that a certificate breaks by what is fetched."""
    folder = env / "certificates" / name
    verification = Verification(
        folder / f"{name}.crt",
        datetime.now(UTC),
        chain=(folder / "chain.pem",),
        trust=(env / "trust.pem",),
        fetch_crls=True,
    )
    return tuple(problem.rule for problem in verify(verification).result.problems)


@pytest.mark.parametrize(
    "crl", [{}, {"delta": "1d"}, {"partitions": 3}, {"reasons": ["keyCompromise", "superseded"]}], ids=str
)
@pytest.mark.parametrize("reason", ["superseded", "cACompromise", "unspecified"])
def test_a_revocation_is_on_the_crl_that_the_certificate_names(
    tmp_path: Path, crl: dict[str, object], reason: str
) -> None:
    port = _free_port()
    document = {
        "name": "env",
        "base_url": f"http://127.0.0.1:{port}",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root", "crl": crl}},
        "certificates": {"good": {"issuer": "issuing"}, "bad": {"issuer": "issuing"}},
    }
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    env = build(load(tmp_path / "env.yaml"), tmp_path).folder
    with serve(env, port=port):
        assert _verified(env, "good") == _verified(env, "bad") == ()
        revoke(env, ["bad"], reason=reason)
        assert _verified(env, "good") == ()
        assert _verified(env, "bad") == ("revoked",)
