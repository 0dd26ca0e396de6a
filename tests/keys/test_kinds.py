"""The table of key kinds: each row agrees with the keys that cryptography generates."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from pkigen.asn1 import der
from pkigen.keys import kind_of, public_key_info
from pkigen.keys.kinds import FIXED_KINDS
from pkigen.keys.sources import FreshKeys, SeededKeys
from pkigen.x509.public_key import public_key

_WITH_OID = [kind for kind in FIXED_KINDS.values() if kind.oid]


@pytest.mark.parametrize("kind", _WITH_OID, ids=lambda kind: kind.name)
def test_generated_keys_have_the_parameters_of_the_table(kind) -> None:  # type: ignore[no-untyped-def]
    for source in (FreshKeys(), SeededKeys("x")):
        key = source.generate(kind, "owner")
        assert kind_of(key) == kind
        info = public_key_info(key)
        assert der.oid(kind.oid) in info
        assert public_key(info).name == kind.name
        if isinstance(key, EllipticCurvePrivateKey):
            assert key.private_numbers().private_value < kind.order
            assert key.curve.key_size == kind.size == kind.order.bit_length()
