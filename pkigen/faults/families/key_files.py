"""The private key's file, and PKCS#12 (RFC 7292). The certificate is sound, and nobody gets to see the key.

Passphrases that an uploader is given are in the file NAME.passphrase.
"""

from __future__ import annotations

from dataclasses import replace

from pkigen.cases.case import Case, Impossible
from pkigen.faults.families.key import keyed
from pkigen.faults.registry import fault
from pkigen.keys.kinds import parse_kind

_FORBIDDEN = 'pass word "§"'
_IN_OPENSSH = ("rsa", "ec", "ed25519")
_IN_PKCS12 = ("rsa", "ec", "ed25519", "ed448")


def _key(case: Case, how: str, argument: str = "") -> Case:
    return case.alter("key", how, argument)


def _of(case: Case, *families: str) -> Case:
    """The case with a key of one of the families: its own, or a new one of the first."""
    if parse_kind(case.entity.key).family in families:
        return case
    return keyed(case, {"rsa": "rsa-2048", "ec": "ec-p256"}[families[0]])


def _pkcs12(case: Case, how: str) -> Case:
    """A PKCS#12 file that is wrong; one passphrase opens it and the key's file."""
    if parse_kind(case.entity.key).family not in _IN_PKCS12:
        raise Impossible(f"PKCS#12 cannot hold a key of kind {case.entity.key}")
    output = case.entity.output
    formats = output.formats if "pkcs12" in output.formats else (*output.formats, "pkcs12")
    passphrase = output.passphrase or output.pkcs12_passphrase
    output = replace(output, formats=formats, pkcs12_passphrase=passphrase)
    return replace(case, entity=replace(case.entity, output=output)).alter("pkcs12", how)


@fault("R", "file", "RFC 8446 4.4.3", finds=("key-matches",))
def key_mismatch(case: Case) -> Case:
    """The key file does not match the certificate.

    Servers do not start; clients would report an invalid handshake signature. Use the matching key.
    """
    return _key(case, "other-key")


@fault("R", "file", "RFC 8446 4.4.3", finds=("key-matches",))
def key_type_mismatch(case: Case) -> Case:
    """Its key file holds a key of another type.

    Elliptic curves instead of RSA, or RSA instead of what it has: it is not the certificate's.
    """
    return _key(case, "other-type")


@fault("R", "file", "RFC 7468 11", finds=("key-opens",))
def key_encrypted(case: Case) -> Case:
    """Its key file is under a passphrase that nobody gives.

    A server that asks for it does not start by itself.
    """
    return _key(case, "no-passphrase")


@fault("R", "file", "RFC 1421 4.6.1.1", finds=("key-opens",))
def key_encrypted_traditional(case: Case) -> Case:
    """Its key file is in the traditional format, under a passphrase that nobody gives.

    The header says ENCRYPTED, the label does not.
    """
    return _key(_of(case, "ec", "rsa"), "traditional-no-passphrase")


@fault("R", "file", "the appliance's guide", finds=("key-opens",))
def key_passphrase_wrong(case: Case) -> Case:
    """The passphrase that is given does not open its key file.

    Somebody gave the one of another key.
    """
    return _key(case, "wrong-passphrase")


@fault("V", "file", "the appliance's guide")
def key_passphrase_forbidden_char(case: Case) -> Case:
    """The passphrase of its key file has a blank, quotes and a letter beyond ASCII.

    It opens the key; appliances that pass it on to a shell or a form may not.
    """
    return _key(case, "passphrase", _FORBIDDEN)


@fault("V", "file", "RFC 7468 10", finds=("key-opens",))
def key_openssh_format(case: Case) -> Case:
    """Its key file is in OpenSSH's own format.

    ssh-keygen writes so by itself; TLS servers want PKCS#8.
    """
    return _key(_of(case, *_IN_OPENSSH), "openssh")


@fault("R", "file", "RFC 7468 10", finds=("key-encoding",))
def key_der_in_pem_name(case: Case) -> Case:
    """Its key file is DER under the name of a PEM file.

    Readers of PEM find no BEGIN in it; those that look at the octets read it.
    """
    return _key(case, "der")


@fault("R", "file", "RFC 7468 10", finds=("unreadable",))
def key_truncated(case: Case) -> Case:
    """The key file is truncated and has no END line.

    Servers report an incomplete PEM block. Copy the file again.
    """
    return _key(case, "cut")


@fault("R", "file", "RFC 7468 10", finds=("unreadable",))
def key_public_only(case: Case) -> Case:
    """The key file contains the public key.

    Servers cannot sign with it. Use the private key.
    """
    return _key(case, "public")


@fault("R", "file", "RFC 7468 10", finds=("unreadable",))
def key_empty(case: Case) -> Case:
    """The key file is empty.

    Servers report that it contains no key. Check the disk space, then copy the key again.
    """
    return _key(case, "empty")


@fault("R", "file", "RFC 7468 10", finds=("unreadable",))
def key_is_certificate(case: Case) -> Case:
    """The key file contains the certificate instead of a key.

    Servers report that the file contains no key. Check whether two upload fields were swapped.
    """
    return _key(case, "certificate")


@fault("V", "file", "RFC 7468 10", finds=("key-opens",))
def key_pkcs8_labelled_rsa(case: Case) -> Case:
    """Its key file is PKCS#8 under the label of PKCS#1.

    Parsers that trust the label fail, those that look inside do not.
    """
    return _key(_of(case, "rsa"), "labelled-pkcs1")


@fault("V", "file", "RFC 7468 10", finds=("key-opens",))
def key_pkcs1_labelled_pkcs8(case: Case) -> Case:
    """Its key file is PKCS#1 under the label of PKCS#8.

    Parsers that trust the label fail, those that look inside do not.
    """
    return _key(_of(case, "rsa"), "labelled-pkcs8")


@fault("V", "file", "RFC 7468 2")
def key_bom(case: Case) -> Case:
    """Its key file begins with a byte order mark in UTF-8.

    Windows' editors write it: parsers that want BEGIN at the start of a line find none.
    """
    return _key(case, "byte-order-mark")


@fault("A", "file", "RFC 5915 4", finds=("public-key-rsa",))
def key_ec_parameters_first(case: Case) -> Case:
    """In its key file the curve stands before the key.

    A control: openssl ecparam -genkey writes both blocks, and servers read the second.
    """
    return _key(_of(case, "ec"), "ec-parameters")


@fault("R", "file", "RFC 8017 3.2", finds=("key-sound",))
def key_rsa_bad_d(case: Case) -> Case:
    """The private exponent of its RSA key does not fit the public one.

    Most programs compute with the other numbers, and notice only when they check the key.
    """
    return _key(_of(case, "rsa"), "bad-exponent")


@fault("R", "file", "RFC 8017 3.2", finds=("key-sound",))
def key_rsa_bad_crt(case: Case) -> Case:
    """The coefficient of its RSA key does not fit the primes.

    Signatures come out wrong, and a single one of them can give the key away.
    """
    return _key(_of(case, "rsa"), "unsound")


@fault("R", "file", "RFC 7468 10", finds=("key-matches",))
def key_two_first_wrong(case: Case) -> Case:
    """Its key file holds two keys, and the first is not the certificate's.

    Servers take the first, and find that it does not match.
    """
    return _key(case, "other-key-first")


@fault("R", "file", "RFC 7292 5.2")
def p12_wrong_password(case: Case) -> Case:
    """The passphrase that is given does not open its PKCS#12 file.

    Somebody gave the one of another file; the MAC does not verify.
    """
    return _pkcs12(case, "wrong-password")


@fault("R", "file", "RFC 7292 5.2")
def p12_bad_mac(case: Case) -> Case:
    """The MAC of its PKCS#12 file is wrong.

    The passphrase is right, and the file was damaged or changed.
    """
    return _pkcs12(case, "bad-mac")


@fault("R", "file", "RFC 7292 4.2")
def p12_mismatched_key(case: Case) -> Case:
    """The key in its PKCS#12 file is not the certificate's.

    Importers find no certificate for the key, or refuse the pair.
    """
    return _pkcs12(case, "other-key")


@fault("R", "file", "RFC 7292 4.2")
def p12_no_certificate(case: Case) -> Case:
    """Its PKCS#12 file holds the key alone.

    There is no certificate to present: export it with one.
    """
    return _pkcs12(case, "no-certificate")


@fault("V", "file", "RFC 7292 C")
def p12_legacy_rc2(case: Case) -> Case:
    """The certificates in its PKCS#12 file are under RC2 with 40 bits.

    Windows and OpenSSL 1 wrote so; OpenSSL 3 wants -legacy, and Java may say no.
    """
    return _pkcs12(case, "rc2")
