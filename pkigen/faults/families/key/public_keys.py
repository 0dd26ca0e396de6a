"""Public keys that are weak, badly written, or of a kind that servers do not use (4.1.2.7)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.faults.registry import fault
from pkigen.keys.kinds import parse_kind
from pkigen.model import Edit, EditOp, Extension

_ALGORITHM, BITS = (6, 0), (6, 1)
PARAMETERS = (*_ALGORITHM, 1)
MODULUS, _EXPONENT = (*BITS, 0, 0), (*BITS, 0, 1)

_P256_PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_P256_GENERATOR = (
    "046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
    "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"
)
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_PRIME_FIELD = "1.2.840.10045.1.1"


def explicit_p256(prime: int = _P256_PRIME, *, compressed: bool = False) -> bytes:
    """Return the numbers of the curve instead of its name: SpecifiedECDomain (SEC 1, C.2)."""
    field = der.sequence(der.oid(_PRIME_FIELD), der.integer(prime))
    a, b = (der.octet_string(number.to_bytes(32, "big")) for number in (_P256_PRIME - 3, _P256_B))
    curve = der.sequence(a, b)
    generator = bytes.fromhex(_P256_GENERATOR)
    base = der.octet_string(bytes((2 + (generator[-1] & 1),)) + generator[1:33] if compressed else generator)
    return der.sequence(der.integer(1), field, curve, base, der.integer(_P256_ORDER), der.integer(1))


def keyed(case: Case, kind: str) -> Case:
    """A key of a kind; one that cannot encipher keys does not say that it may."""
    usage = (case := case.with_key(kind)).extension(oids.KEY_USAGE)
    if parse_kind(kind).family == "rsa" or usage is None or not isinstance(usage.value, bytes):
        return case
    return case.with_extension(replace(usage, value=_without_encipherment(usage)))


def _without_encipherment(usage: Extension) -> bytes:
    assert isinstance(usage.value, bytes)
    bits = der.contents(usage.value)[1:]
    usages = [
        name
        for number, name in enumerate(oids.KEY_USAGES)
        if number // 8 < len(bits) and bits[number // 8] & 0x80 >> number % 8
    ]
    return der.named_bits([name for name in usages if name != "keyEncipherment"], oids.KEY_USAGES)


def with_rsa(case: Case, *edits: Edit) -> Case:
    """Edit a certificate with an RSA key of 2048 bits."""
    if parse_kind(case.entity.key).family != "rsa":
        case = keyed(case, "rsa-2048")
    return case.edit(*edits)


def with_p256(case: Case, *edits: Edit) -> Case:
    """Edit a certificate with a P-256 key."""
    if case.entity.key != "ec-p256":
        case = keyed(case, "ec-p256")
    return case.edit(*edits)


@fault("V", "path", "CABF BR 6.1.5", finds=("key-size", "public-key-2048"))
def key_rsa_512(case: Case) -> Case:
    """The certificate has a 512-bit RSA key.

    Many clients reject it as too weak: such a key can be factored within hours. Use at least 2048
    bits.
    """
    return keyed(case, "rsa-512")


@fault("V", "path", "CABF BR 6.1.5", finds=("key-size", "public-key-2048"))
def key_rsa_1024_leaf(case: Case) -> Case:
    """The certificate has a 1024-bit RSA key.

    Some clients reject it as too weak. The Baseline Requirements require at least 2048 bits.
    """
    return keyed(case, "rsa-1024")


@fault("V", "path", "CABF BR 6.1.5", finds=("issuer-key-size",))
def key_rsa_1024_ca(case: Case) -> Case:
    """The issuing CA has a 1024-bit RSA key.

    Many clients reject the chain as too weak: an attacker who factors the key can issue
    certificates.
    """
    return case.change_authority(0, lambda entity: replace(entity, key="rsa-1024"))


@fault("P", "lint", "CABF BR 6.1.5", finds=("key-size", "public-key-2048"))
def key_rsa_2047(case: Case) -> Case:
    """The certificate has a 2047-bit RSA key.

    Linters report it: the Baseline Requirements require a multiple of 8.
    """
    return keyed(case, "rsa-2047")


@fault("V", "lint", "CABF BR 6.1.6", finds=("rsa-exponent",))
def key_rsa_e1(case: Case) -> Case:
    """The certificate has an RSA key with the exponent 1.

    Encryption with this key has no effect; some libraries reject it. The key file contains the matching
    private key, whose exponent is also 1.
    """
    return with_rsa(case, Edit(_EXPONENT, EditOp.REPLACE, der.integer(1))).alter("key", "as-certified")


@fault("P", "lint", "CABF BR 6.1.6", finds=("rsa-exponent",))
def key_rsa_e3(case: Case) -> Case:
    """The certificate has an RSA key with the exponent 3.

    Linters may report it: incorrect signature verification can be exploited with a small exponent.
    """
    return keyed(case, "rsa-2048-e3")


@fault("V", "lint", "CABF BR 6.1.6", finds=("rsa-exponent", "key-matches"))
def key_rsa_e_even(case: Case) -> Case:
    """The certificate has an RSA key with an even exponent.

    Some libraries reject it. No private key exists for it: the key file contains the key with the usual
    exponent, which some programs reject as the key of another certificate.
    """
    return with_rsa(case, Edit(_EXPONENT, EditOp.REPLACE, der.integer(65536)))


@fault("V", "parse", "CABF BR 6.1.6")
def key_rsa_e_huge(case: Case) -> Case:
    """The certificate has an RSA key with a 300-bit exponent.

    Libraries that store the exponent in a machine word reject the key.
    """
    return keyed(case, "rsa-2048-e300bits")


@fault("V", "lint", "CABF BR 6.1.6", finds=("key-matches",))
def key_rsa_n_even(case: Case) -> Case:
    """The certificate has an RSA key with an even modulus.

    The modulus is not the product of two large primes; some libraries reject it. Its factors are unknown:
    the key file contains the original key, which some programs reject as the key of another certificate.
    """
    return with_rsa(case, Edit(MODULUS, EditOp.FLIP_LAST_BIT))


@fault(
    "V",
    "parse",
    "RFC 8017 A.1.1",
    finds=("path:other", "path-valid", "key-size", "key-matches", "public-key-2048", "chain-of-trust"),
)
def key_rsa_n_negative(case: Case) -> Case:
    """The certificate has an RSA key with a negative modulus.

    The leading zero byte, which keeps the number positive, is missing; some libraries reject the key. The
    key file has the modulus with that byte, because no key has a negative modulus.
    """
    return with_rsa(case, Edit(MODULUS, EditOp.DROP_FIRST_BYTE))


@fault("P", "lint", "CABF BR 6.1.1.3")
def key_rsa_weak_factors(case: Case) -> Case:
    """The certificate has an RSA key whose two primes are close together.

    Fermat's method factors the key immediately; few clients detect it. Replace the key.
    """
    return keyed(case, "rsa-2048-close-primes")


@fault("P", "lint", "CABF BR 6.1.1.3", cves=("CVE-2017-15361",))
def key_rsa_roca(case: Case) -> Case:
    """The certificate has an RSA key that is vulnerable to ROCA.

    Linters report it: some smart cards and TPMs generated such keys, which can be factored. Replace
    the key.
    """
    return keyed(case, "rsa-2048-roca")


@fault("P", "lint", "CABF BR 6.1.1.3")
def key_rsa_shared_factor(case: Case) -> Case:
    """The certificate has an RSA key that shares a prime with another certificate.

    The two public keys together reveal both private keys; clients do not notice it. The case includes the
    other certificate.
    """
    case = keyed(case, "rsa-2048-shared-prime")
    return replace(case, entity=replace(case.entity, key_of="")).with_twin()


@fault("V", "parse", "RFC 3279 2.3.1", finds=("rsa-null",))
def key_spki_missing_null(case: Case) -> Case:
    """The certificate has an RSA public key whose algorithm has no parameters.

    The parameters must be NULL; some parsers reject the key.
    """
    return with_rsa(case, Edit(PARAMETERS, EditOp.REMOVE))


@fault(
    "V",
    "parse",
    "4.1.2.7",
    finds=(
        "path:other",
        "path-valid",
        "key-family",
        "key-size",
        "rsa-exponent",
        "key-matches",
        "public-key-rsa",
        "public-key-2048",
        "public-key-size",
        "public-key-4096-slow",
        "chain-of-trust",
    ),
)
def key_spki_garbage(case: Case) -> Case:
    """The certificate has a public key that cannot be decoded.

    Clients reject it when they parse or use the key: the bits do not encode a key of the stated algorithm.
    No private key exists for them: the key file contains the original key.
    """
    return case.edit(Edit(BITS, EditOp.REPLACE, der.bit_string(bytes.fromhex("deadbeef"))))


@fault(
    "V",
    "parse",
    "4.1.2.7",
    finds=("path:other", "path-valid", "key-family", "key-matches", "public-key-rsa", "chain-of-trust"),
)
def key_spki_unknown_alg(case: Case) -> Case:
    """The certificate has a public key of an unknown algorithm.

    RFC 5280 permits validation of the path without this key, but many clients reject the certificate when
    they read it. A TLS handshake with the key fails.
    """
    return case.edit(Edit((*_ALGORITHM, 0), EditOp.REPLACE, der.oid("1.2.3.4.5")))


@fault("V", "path", "CABF BR 6.1.5", finds=("key-size", "public-key-rsa"))
def key_ec_p192(case: Case) -> Case:
    """The certificate has a key on the curve P-192.

    Many libraries no longer support this weak curve.
    """
    return keyed(case, "ec-p192")


@fault("V", "path", "CABF BR 6.1.5", finds=("public-key-rsa",))
def key_ec_secp256k1(case: Case) -> Case:
    """The certificate has a key on the curve secp256k1.

    The curve is secure, but neither the Baseline Requirements nor TLS 1.3 include it; some clients
    reject it.
    """
    return keyed(case, "ec-secp256k1")


@fault(
    "V",
    "parse",
    "RFC 5480 2.1.1",
    finds=("path:other", "path-valid", "key-matches", "public-key-rsa", "chain-of-trust"),
    cves=("CVE-2020-0601",),
)
def key_ec_explicit_params(case: Case) -> Case:
    """The certificate has an EC key with explicit curve parameters.

    The curve must be named; explicit parameters enabled forged certificates in Windows. Many clients
    reject them.
    """
    return with_p256(case, Edit(PARAMETERS, EditOp.REPLACE, explicit_p256()))


@fault(
    "V",
    "parse",
    "RFC 5480 2.1.1",
    finds=("path:other", "path-valid", "key-size", "key-matches", "public-key-rsa", "chain-of-trust"),
)
def key_ec_null_params(case: Case) -> Case:
    """The certificate has an EC key with NULL parameters instead of a named curve.

    The curve must be named; most parsers reject the key.
    """
    return with_p256(case, Edit(PARAMETERS, EditOp.REPLACE, der.null()))


@fault(
    "V",
    "parse",
    "SEC 1 2.3.4",
    finds=("path:other", "path-valid", "key-matches", "public-key-rsa", "chain-of-trust"),
)
def key_ec_off_curve(case: Case) -> Case:
    """The certificate has an EC public key whose point is not on the curve.

    Calculations with such a point can reveal a private key; most libraries reject it. No private key
    exists for it: the key file contains the original key.
    """
    return with_p256(case, Edit(BITS, EditOp.FLIP_LAST_BIT))


@fault("V", "parse", "RFC 5480 2.2", finds=("key-matches", "public-key-rsa"))
def key_ec_infinity(case: Case) -> Case:
    """The certificate has an EC public key that is the point at infinity.

    Most libraries reject it. No private key exists for it: the key file contains the original key.
    """
    return with_p256(case, Edit(BITS, EditOp.REPLACE, der.bit_string(b"\0")))


@fault("V", "parse", "RFC 5480 2.2", finds=("public-key-rsa",))
def key_ec_compressed(case: Case) -> Case:
    """The certificate has an EC public key with a compressed point.

    RFC 5480 allows this form, but some libraries cannot read it. The key file has the same form.
    """
    return with_p256(case, Edit(BITS, EditOp.COMPRESS_POINT)).alter("key", "as-certified")


@fault("V", "lint", "CABF BR 6.1.5", finds=("key-family", "public-key-rsa"))
def key_dsa(case: Case) -> Case:
    """The certificate has a DSA key.

    TLS 1.3 does not support DSA, so that most clients cannot use the key; some
    already reject the certificate.
    """
    return keyed(case, "dsa-2048")
