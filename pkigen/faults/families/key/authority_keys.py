"""Keys of CAs, forged keys, and points in unusual forms."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.faults.families.key.public_keys import (
    BITS,
    MODULUS,
    PARAMETERS,
    explicit_p256,
    keyed,
    with_p256,
    with_rsa,
)
from pkigen.faults.families.key.published import DEBIAN_MODULUS, MODULUS_OF_16384_BITS
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan, Edit, EditOp, Signature

_KEY, _ALGORITHM = (6,), (6, 0)
_RSASSA_PSS = "1.2.840.113549.1.1.10"
_CURVEBALL = Signature(own_generator=True)
_COMPOSITE = ((1 << 128) - 159) * ((1 << 128) - 173)
"""A product of two primes."""


@fault(
    "R",
    "path",
    "6.1.3 (a)(1)",
    finds=(
        "path:bad-signature",
        "path-valid",
        "chain-complete",
        "chain-of-trust",
    ),
    cves=("CVE-2020-0601",),
)
def curveball_root(case: Case) -> Case:
    """The issuing CA was signed by a forged root with the trusted public key.

    The forged root has its own curve parameters: its generator is the public key, so that its private key
    is 1. Windows before January 2020 compared only the public keys. Clients report an invalid signature.
    """
    case.intermediate()
    case = case.change_authority(case.root, lambda root: replace(root, key="ec-p256"))
    root, own = case.authorities[-1], case.authority_plan(case.root)

    def signed_by_forger(plan: CertificatePlan) -> CertificatePlan:
        return replace(plan, signature=_CURVEBALL)

    case = case.change_authority_plan(case.root - 1, signed_by_forger)
    edit = Edit(_KEY, EditOp.OWN_GENERATOR, explicit_p256())
    forged = replace(own, signature=_CURVEBALL, edits=(edit,), issuer_id="")
    case = case.with_extra("forged", forged, case.root, key_of=root.id, key=root.key)
    return case.trusting(root.id)


@fault(
    "V",
    "path",
    "RFC 5480 2.1.1",
    finds=("path:other", "path-valid", "signature-sha256-rsa", "chain-of-trust"),
    cves=("CVE-2020-0601",),
)
def key_ec_explicit_params_ca(case: Case) -> Case:
    """The issuing CA has an EC key with explicit curve parameters.

    They are those of P-256, but the curve must be named. Many clients reject the CA, although its signatures
    are valid.
    """
    level = case.intermediate()
    case = case.change_authority(level, lambda entity: replace(entity, key="ec-p256"))
    edit = Edit(PARAMETERS, EditOp.REPLACE, explicit_p256())
    return case.change_authority_plan(level, lambda plan: replace(plan, edits=(*plan.edits, edit)))


@fault(
    "V",
    "parse",
    "RFC 5480 2.1.1",
    finds=(
        "path:other",
        "path-valid",
        "key-matches",
        "public-key-rsa",
        "chain-of-trust",
    ),
    cves=("CVE-2022-0778",),
)
def key_ec_explicit_composite(case: Case) -> Case:
    """The certificate has an EC key over a field whose size is not prime.

    The explicit parameters have a compressed generator; OpenSSL before 3.0.2 entered an endless loop when
    it decompressed the point. Clients reject the key.
    """
    return with_p256(case, Edit(PARAMETERS, EditOp.REPLACE, explicit_p256(_COMPOSITE, compressed=True)))


@fault("V", "parse", "RFC 5480 2.2", finds=("public-key-rsa",))
def key_ec_hybrid_point(case: Case) -> Case:
    """The certificate has an EC public key in the hybrid form.

    The point has both coordinates and the parity of the second one. RFC 5480 requires clients to reject
    this form; some accept it.
    """
    return with_p256(case, Edit(BITS, EditOp.HYBRID_POINT))


@fault("V", "parse", "RFC 4055 1.2", finds=())
def key_rsa_pss_spki_bound(case: Case) -> Case:
    """The certificate has an RSA key that is only for RSASSA-PSS with SHA-256.

    RFC 4055 allows it; many clients support only keys with the algorithm rsaEncryption. The key file has
    the same algorithm.
    """
    digest = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.null())
    mask = der.sequence(der.oid("1.2.840.113549.1.1.8"), digest)
    fields = der.explicit(0, digest), der.explicit(1, mask), der.explicit(2, der.integer(32))
    algorithm = der.sequence(der.oid(_RSASSA_PSS), der.sequence(*fields))
    return with_rsa(case, Edit(_ALGORITHM, EditOp.REPLACE, algorithm)).alter("key", "as-certified")


@fault(
    "V",
    "path",
    "good practice",
    finds=(
        "key-matches",
        "public-key-size",
        "public-key-4096-slow",
    ),
    cves=("CVE-2023-6237", "CVE-2023-29409"),
)
def key_rsa_16384(case: Case) -> Case:
    """The certificate has a 16,384-bit RSA key.

    Operations with such a key take very long; Go rejects keys of more than 8,192 bits in handshakes. The key
    file contains another key.
    """
    return with_rsa(case, Edit(MODULUS, EditOp.REPLACE, der.integer(MODULUS_OF_16384_BITS)))


@fault("V", "lint", "CABF BR 6.1.1.3", finds=("key-matches",), cves=("CVE-2008-0166",))
def key_rsa_debian(case: Case) -> Case:
    """The certificate has an RSA key that a Debian system generated in 2006 to 2008.

    Such a system had only 32,768 possible keys of each size, which are all known. Linters report it. Only
    the public key is in the catalog: the key file contains another key.
    """
    return with_rsa(case, Edit(MODULUS, EditOp.REPLACE, der.integer(DEBIAN_MODULUS)))


@fault("V", "path", "CABF BR 6.1.5", finds=("signature-sha256-rsa",), cves=("CVE-2025-58188",))
def key_dsa_ca(case: Case) -> Case:
    """The issuing CA has a DSA key.

    Many clients do not support DSA and report an unknown algorithm. Go before 1.25.2 panicked.
    """
    return case.change_authority(case.intermediate(), lambda entity: replace(entity, key="dsa-2048"))


@fault(
    "R",
    "path",
    "4.1.2.7",
    finds=(
        "path:unsupported",
        "crl-fresh",
        "chain-issuer",
        "crl-reachable",
    ),
    cves=("CVE-2024-24783",),
)
def key_spki_unknown_alg_ca(case: Case) -> Case:
    """The issuing CA has a public key of an unknown algorithm.

    Clients cannot verify the signature of the certificate. Go before 1.22.1 panicked.
    """
    unknown = Edit((*_ALGORITHM, 0), EditOp.REPLACE, der.oid("1.2.3.4.5"))
    return case.change_authority_plan(
        case.intermediate(), lambda plan: replace(plan, edits=(*plan.edits, unknown))
    )


@fault(
    "V",
    "lint",
    "RFC 8410 5",
    finds=(
        "key-family",
        "public-key-rsa",
    ),
)
def key_x25519_digsig(case: Case) -> Case:
    """The certificate has an X25519 key with the key usage digitalSignature.

    An X25519 key cannot sign; its only valid key usages are keyAgreement, encipherOnly and decipherOnly.
    """
    if case.extension(oids.KEY_USAGE) is None:
        raise Impossible("the certificate has no key usage")
    return keyed(case, "x25519")


@fault("V", "path", "CABF BR 6.1.5", finds=())
def key_rsa_1024_root(case: Case) -> Case:
    """The root has a 1024-bit RSA key.

    Many clients reject the chain as too weak: an attacker who factors the key can issue certificates.
    """
    return _with_root_key(case, "rsa-1024")


def _with_root_key(case: Case, kind: str) -> Case:
    """Change the kind of the root's key."""
    case.intermediate()
    return case.change_authority(case.root, lambda root: replace(root, key=kind))


@fault("V", "path", "CABF BR 6.1.5")
def key_ec_p192_root(case: Case) -> Case:
    """The root has a key on the curve P-192.

    Many libraries no longer support this weak curve; an attacker who finds the private key can issue
    certificates.
    """
    return _with_root_key(case, "ec-p192")


@fault("V", "path", "CABF BR 6.1.5")
def key_dsa_root(case: Case) -> Case:
    """The root has a DSA key.

    Many clients do not support DSA, and cannot verify the signature of the issuing CA certificate.
    """
    return _with_root_key(case, "dsa-2048")


@fault("P", "lint", "CABF BR 6.1.5")
def key_rsa_2047_root(case: Case) -> Case:
    """The root has a 2047-bit RSA key.

    Linters report it: the Baseline Requirements require a multiple of 8.
    """
    return _with_root_key(case, "rsa-2047")


@fault(
    "R",
    "parse",
    "4.1.2.7",
    finds=("path:unsupported", "crl-fresh", "issuer-key-size", "chain-issuer", "crl-reachable"),
)
def key_spki_garbage_ca(case: Case) -> Case:
    """The issuing CA has a public key that cannot be decoded.

    The bits do not encode a key of the stated algorithm: clients cannot verify the signature of the
    certificate.
    """
    garbage = Edit(BITS, EditOp.REPLACE, der.bit_string(bytes.fromhex("deadbeef")))
    return case.change_authority_plan(
        case.intermediate(), lambda plan: replace(plan, edits=(*plan.edits, garbage))
    )


@fault("P", "lint", "NIST SP 800-57 Part 1, 5.2")
def key_reused_leaf_ca(case: Case) -> Case:
    """The certificate has the same key as its issuing CA.

    Clients do not detect it, but an attacker who obtains the server key can issue certificates.
    Generate a separate key.
    """
    if not case.authorities:
        raise Impossible("no CA has issued it")
    issuer = case.authorities[0]
    if issuer.imported is not None:
        raise Impossible(f"the key of '{issuer.name}' is not pkigen's")
    entity = replace(case.entity, key=issuer.key, key_of=issuer.id, given=None)
    return replace(case, entity=entity)
