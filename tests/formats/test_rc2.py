"""RC2 against the vectors of RFC 2268, section 5."""

from __future__ import annotations

import pytest

from pkigen.formats.rc2 import decrypt, encrypt

# Key, its effective bits, plaintext, ciphertext.
VECTORS = [
    ("0000000000000000", 63, "0000000000000000", "ebb773f993278eff"),
    ("ffffffffffffffff", 64, "ffffffffffffffff", "278b27e42e2f0d49"),
    ("3000000000000000", 64, "1000000000000001", "30649edf9be7d2c2"),
    ("88", 64, "0000000000000000", "61a8a244adacccf0"),
    ("88bca90e90875a", 64, "0000000000000000", "6ccf4308974c267f"),
    ("88bca90e90875a7f0f79c384627bafb2", 64, "0000000000000000", "1a807d272bbe5db1"),
    ("88bca90e90875a7f0f79c384627bafb2", 128, "0000000000000000", "2269552ab0f85ca6"),
    ("88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e", 129, "00" * 8, "5b78d3a43dfff1f1"),
]


@pytest.mark.parametrize(("key", "bits", "plain", "cipher"), VECTORS)
def test_rc2_matches_the_vectors_of_the_rfc(key: str, bits: int, plain: str, cipher: str) -> None:
    given = encrypt(bytes.fromhex(key), bits, bytes(8), bytes.fromhex(plain))
    assert given.hex() == cipher
    assert decrypt(bytes.fromhex(key), bits, bytes(8), given).hex() == plain
