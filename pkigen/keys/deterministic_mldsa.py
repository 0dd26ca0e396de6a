"""ML-DSA's deterministic variant (FIPS 204, 3.4): OpenSSL signs hedged, which never repeats.

Uses dilithium-py, the extra ``seed``. It is not constant-time: for keys from a seed only.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mldsa import (
    MLDSA44PrivateKey,
    MLDSA65PrivateKey,
    MLDSA87PrivateKey,
)

from pkigen.errors import InputError
from pkigen.keys.kinds import KeyKind


def sign_deterministically(
    key: MLDSA44PrivateKey | MLDSA65PrivateKey | MLDSA87PrivateKey, kind: KeyKind, data: bytes
) -> bytes:
    """The deterministic signature over ``data`` with an empty context."""
    scheme = _scheme(kind)
    _, expanded = scheme.key_derive(key.private_bytes_raw())
    signature: bytes = scheme.sign(expanded, data, deterministic=True)
    return signature


@lru_cache(maxsize=3)
def _scheme(kind: KeyKind) -> Any:
    try:
        ml_dsa = import_module("dilithium_py.ml_dsa")
    except ImportError as error:
        raise InputError(
            f"--seed with {kind.name} signatures needs a library more: pip install 'pkigen[seed]'"
        ) from error
    return getattr(ml_dsa, f"ML_DSA_{kind.size}")
