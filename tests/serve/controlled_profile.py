"""An environment whose sound authorities are to be answered wrong for, with some cases beside them."""

from __future__ import annotations

from typing import Any

PROFILE: dict[str, Any] = {
    "name": "controlled",
    "base_url": "http://pki.test/lab",
    "authorities": {
        "root": {"key": "ec-p256"},
        "issuing": {"issuer": "root", "key": "ec-p256"},
        "other": {"issuer": "root", "key": "rsa-2048"},
    },
    "certificates": {
        "sensor": {"issuer": "issuing", "key": "ec-p256", "subject": {"CN": "sensor.contoso.test"}},
        "retired": {
            "issuer": "issuing",
            "key": "ec-p256",
            "revoked": {"reason": "keyCompromise", "at": "-2h"},
        },
        "console": {"issuer": "other", "key": "ec-p256"},
    },
    "negatives": [{"of": "sensor", "faults": ["crl-http-404", "crl-stale", "ocsp-status-try-later"]}],
}
