"""Keys of algorithms that quantum computers do not break: ML-DSA (RFC 9881) and ML-KEM (RFC 9935)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.faults.families.key.public_keys import BITS, keyed
from pkigen.faults.registry import fault
from pkigen.model import Edit, EditOp, Extension

_ALGORITHM_OID = (6, 0, 0)


@fault("V", "parse", "RFC 9881 4", finds=("key-family", "public-key-rsa"))
def key_mldsa_leaf(case: Case) -> Case:
    """The certificate has an ML-DSA-65 key.

    The key is valid, but older clients do not support it.
    """
    return keyed(case, "ml-dsa-65")


@fault("V", "parse", "RFC 9935 5", finds=("digital-signature", "key-family", "public-key-rsa"))
def key_mlkem_leaf(case: Case) -> Case:
    """The certificate has an ML-KEM-768 key with the key usage keyEncipherment alone.

    Key and key usage are valid, but older clients do not support the algorithm. TLS 1.3 cannot authenticate
    a server with such a key, because it cannot sign.
    """
    usage = replace(_key_usage(case), value=der.named_bits(("keyEncipherment",), oids.KEY_USAGES))
    return case.with_key("ml-kem-768").with_extension(usage)


@fault("V", "lint", "RFC 9935 5", finds=("key-family", "public-key-rsa"))
def key_mlkem_digsig_ku(case: Case) -> Case:
    """The certificate has an ML-KEM-768 key with the key usage digitalSignature.

    An ML-KEM key cannot sign; its only valid key usage is keyEncipherment.
    """
    _key_usage(case)
    return keyed(case, "ml-kem-768")


def _key_usage(case: Case) -> Extension:
    usage = case.extension(oids.KEY_USAGE)
    if usage is None:
        raise Impossible("the certificate has no key usage")
    return usage


@fault(
    "R",
    "parse",
    "RFC 9881 2",
    finds=("path:other", "path-valid", "key-family", "public-key-rsa", "chain-of-trust"),
)
def key_mldsa_null_params(case: Case) -> Case:
    """The certificate has an ML-DSA key with NULL parameters.

    The parameters must be absent; clients that support the algorithm reject the key.
    """
    return keyed(case, "ml-dsa-65").edit(Edit(_ALGORITHM_OID, EditOp.APPEND, der.null()))


@fault(
    "R",
    "parse",
    "RFC 9881 4",
    finds=("path:other", "path-valid", "key-family", "key-matches", "public-key-rsa", "chain-of-trust"),
)
def key_mldsa_bad_length(case: Case) -> Case:
    """The certificate has an ML-DSA-65 key that is one byte short.

    Clients that support the algorithm reject the key: an ML-DSA-65 public key has 1952 bytes. The key
    file contains the key with all of its bytes.
    """
    return keyed(case, "ml-dsa-65").edit(Edit(BITS, EditOp.DROP_LAST_BYTE))
