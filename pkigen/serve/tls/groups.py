"""Key exchange: elliptic curves, by the numbers of RFC 8446, 4.2.7."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkigen.serve.tls.alerts import Alert, Description

_CURVES: dict[int, Callable[[], ec.EllipticCurve]] = {23: ec.SECP256R1, 24: ec.SECP384R1, 25: ec.SECP521R1}
_X25519, _X448 = 29, 30
P256 = 23
GROUPS = (_X25519, *_CURVES, _X448)
"""In the order in which they are liked."""


@dataclass(frozen=True)
class Share:
    """A key share of this side: what the client is told, and what a share of the client's makes of it."""

    group: int
    public: bytes
    _exchange: Callable[[bytes], bytes] = field(repr=False)

    def secret(self, peer: bytes) -> bytes:
        """The shared secret; the alert illegal_parameter when the client's share is no point."""
        try:
            return self._exchange(peer)
        except ValueError:
            raise Alert(Description.ILLEGAL_PARAMETER) from None


def share(group: int) -> Share:
    """A new key share of one of ``GROUPS``."""
    if group == _X25519:
        short = X25519PrivateKey.generate()
        return Share(
            group,
            short.public_key().public_bytes_raw(),
            lambda peer: short.exchange(X25519PublicKey.from_public_bytes(peer)),
        )
    if group == _X448:
        long = X448PrivateKey.generate()
        return Share(
            group,
            long.public_key().public_bytes_raw(),
            lambda peer: long.exchange(X448PublicKey.from_public_bytes(peer)),
        )
    curve = _CURVES[group]()
    key = ec.generate_private_key(curve)
    return Share(
        group,
        key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        lambda peer: key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, peer)),
    )
