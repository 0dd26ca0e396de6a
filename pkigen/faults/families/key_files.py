"""Private key files and PKCS#12 files (RFC 7292). The certificate is valid, and clients never see the key.

The file NAME.passphrase contains the passphrase for an upload.
"""

from __future__ import annotations

from dataclasses import replace

from pkigen.cases.case import Case, Impossible
from pkigen.faults.families.key.public_keys import keyed
from pkigen.faults.registry import fault
from pkigen.keys.kinds import parse_kind

_FORBIDDEN = 'pass word "§"'
_IN_OPENSSH = ("rsa", "ec", "ed25519")
_IN_PKCS12 = ("rsa", "ec", "ed25519", "ed448")


def _key(case: Case, how: str, argument: str = "") -> Case:
    return case.alter("key", how, argument)


def _of(case: Case, *families: str) -> Case:
    """Return the case with a key of one of the families; generate one of the first if necessary."""
    if parse_kind(case.entity.key).family in families:
        return case
    return keyed(case, {"rsa": "rsa-2048", "ec": "ec-p256"}[families[0]])


def _pkcs12(case: Case, how: str) -> Case:
    """Return the case with a faulty PKCS#12 file; the file and the key file share one passphrase."""
    if parse_kind(case.entity.key).family not in _IN_PKCS12:
        raise Impossible(f"PKCS#12 cannot hold a key of kind {case.entity.key}")
    output = case.entity.output
    formats = output.formats if "pkcs12" in output.formats else (*output.formats, "pkcs12")
    passphrase = output.passphrase or output.pkcs12_passphrase
    output = replace(output, formats=formats, pkcs12_passphrase=passphrase)
    return replace(case, entity=replace(case.entity, output=output)).alter("pkcs12", how)


@fault("R", "file", "RFC 9846 4.5.2", finds=("key-matches",))
def key_mismatch(case: Case) -> Case:
    """The key file does not match the certificate.

    Servers do not start; clients would report an invalid handshake signature. Use the matching key.
    """
    return _key(case, "other-key")


@fault("R", "file", "RFC 9846 4.5.2", finds=("key-matches",))
def key_type_mismatch(case: Case) -> Case:
    """The key file contains a key of a different type than the certificate.

    The file contains an elliptic curve key instead of an RSA key, or an RSA key instead of another
    type. Servers report that the key does not match the certificate.
    """
    return _key(case, "other-type").served("tls", "unoffered-scheme")


@fault("R", "file", "RFC 7468 11", finds=("key-opens",))
def key_encrypted(case: Case) -> Case:
    """The key file is encrypted, and no passphrase is provided.

    Servers that prompt for the passphrase do not start unattended. Provide the passphrase, or use
    an unencrypted key.
    """
    return _key(case, "no-passphrase")


@fault("R", "file", "RFC 1421 4.6.1.1", finds=("key-opens",))
def key_encrypted_traditional(case: Case) -> Case:
    """The key file is encrypted in the traditional format; no passphrase is provided.

    Servers do not start unattended. The header contains ENCRYPTED, the label does not.
    """
    return _key(_of(case, "ec", "rsa"), "traditional-no-passphrase")


@fault("R", "file", "appliance", finds=("key-opens",))
def key_passphrase_wrong(case: Case) -> Case:
    """The key file cannot be decrypted with the provided passphrase.

    Servers report a wrong passphrase. Check whether it belongs to another key.
    """
    return _key(case, "wrong-passphrase")


@fault("V", "file", "appliance", sent=False)
def key_passphrase_forbidden_char(case: Case) -> Case:
    """The key file has a passphrase with a space, quotes and a non-ASCII letter.

    The passphrase decrypts the key; appliances that pass it to a shell or a form may fail.
    """
    return _key(case, "passphrase", _FORBIDDEN)


@fault("R", "file", "RFC 7468 10", finds=("key-opens",))
def key_openssh_format(case: Case) -> Case:
    """The key file is in the OpenSSH format.

    TLS servers cannot read this format, which ssh-keygen writes by default. Convert the key to PKCS#8.
    """
    return _key(_of(case, *_IN_OPENSSH), "openssh")


@fault("R", "file", "RFC 7468 10", finds=("key-encoding",), sent=False)
def key_der_in_pem_name(case: Case) -> Case:
    """The key file is DER but has the name of a PEM file.

    PEM parsers report that there is no BEGIN line; parsers that detect the encoding read the key.
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
    """The key file is PKCS#8 but has the PEM label of PKCS#1.

    Parsers that rely on the label fail; parsers that inspect the content do not.
    """
    return _key(_of(case, "rsa"), "labelled-pkcs1")


@fault("V", "file", "RFC 7468 10", finds=("key-opens",))
def key_pkcs1_labelled_pkcs8(case: Case) -> Case:
    """The key file is PKCS#1 but has the PEM label of PKCS#8.

    Parsers that rely on the label fail; parsers that inspect the content do not.
    """
    return _key(_of(case, "rsa"), "labelled-pkcs8")


@fault("V", "file", "RFC 7468 2", sent=False)
def key_bom(case: Case) -> Case:
    """The key file begins with a UTF-8 byte order mark.

    Some Windows editors write it; parsers that require BEGIN at the start of a line find no PEM block.
    Save the file without a byte order mark.
    """
    return _key(case, "byte-order-mark")


@fault("A", "file", "RFC 5915 4", finds=("public-key-rsa",))
def key_ec_parameters_first(case: Case) -> Case:
    """The key file contains the EC parameters before the key.

    Servers read the second block (control case); openssl ecparam -genkey writes both.
    """
    return _key(_of(case, "ec"), "ec-parameters")


@fault("R", "file", "RFC 8017 3.2", finds=("key-sound",), sent=False)
def key_rsa_bad_d(case: Case) -> Case:
    """The key file has an RSA private exponent that does not match the public one.

    Most programs use the other numbers of the key, and notice the mismatch only when they check the
    key.
    """
    return _key(_of(case, "rsa"), "bad-exponent")


@fault("R", "file", "RFC 8017 3.2", finds=("key-sound",), sent=False)
def key_rsa_bad_crt(case: Case) -> Case:
    """The key file has an RSA CRT coefficient that does not match the primes.

    A program that uses the coefficient unchecked creates invalid signatures, and a single one can
    reveal the key. OpenSSL and Go detect the error and sign without the coefficient.
    """
    return _key(_of(case, "rsa"), "unsound")


@fault("R", "file", "RFC 7468 10", finds=("key-matches",))
def key_two_first_wrong(case: Case) -> Case:
    """The key file contains two keys, and the first does not match the certificate.

    Servers use the first key, and report that it does not match.
    """
    return _key(case, "other-key-first")


@fault("R", "file", "RFC 7292 5.2", sent=False)
def p12_wrong_password(case: Case) -> Case:
    """The PKCS#12 file cannot be opened with the provided passphrase.

    Importers report that the MAC does not verify. Check whether the passphrase belongs to another
    file.
    """
    return _pkcs12(case, "wrong-password")


@fault("R", "file", "RFC 7292 5.2", sent=False)
def p12_bad_mac(case: Case) -> Case:
    """The PKCS#12 file has an incorrect MAC.

    The passphrase is correct, but the file was damaged or changed. Importers report that the MAC
    does not verify.
    """
    return _pkcs12(case, "bad-mac")


@fault("R", "file", "RFC 7292 4.2", sent=False)
def p12_mismatched_key(case: Case) -> Case:
    """The PKCS#12 file contains a key that does not match the certificate.

    Importers find no certificate for the key, or reject the pair.
    """
    return _pkcs12(case, "other-key")


@fault("R", "file", "RFC 7292 4.2", sent=False)
def p12_no_certificate(case: Case) -> Case:
    """The PKCS#12 file contains the key but no certificate.

    There is no certificate to present. Export the file again with the certificate.
    """
    return _pkcs12(case, "no-certificate")


@fault("V", "file", "RFC 7292 C", sent=False)
def p12_legacy_rc2(case: Case) -> Case:
    """The PKCS#12 file encrypts its certificates with 40-bit RC2.

    Windows and OpenSSL 1 wrote such files; OpenSSL 3 requires -legacy, and Java may reject them.
    """
    return _pkcs12(case, "rc2")


@fault("R", "file", "RFC 7292 4", sent=False, cves=("CVE-2024-0727",))
def p12_null_content(case: Case) -> Case:
    """The PKCS#12 file has no content in its authSafe.

    The field is optional in the syntax only. Importers report a malformed file or an invalid MAC; OpenSSL
    before 3.0.13 crashed.
    """
    return _pkcs12(case, "null-content")


@fault("V", "file", "RFC 7292 4", sent=False)
def p12_no_mac(case: Case) -> Case:
    """The PKCS#12 file has no MAC.

    The MAC is optional; many importers require it, because nothing else protects the file from changes.
    """
    return _pkcs12(case, "no-mac")


@fault("V", "file", "RFC 7292 4", sent=False)
def p12_mac_iterations(case: Case) -> Case:
    """The PKCS#12 file states 1,000,000,000 iterations for its MAC.

    The passphrase is correct, but importers without a limit compute for minutes before they report an
    invalid MAC.
    """
    return _pkcs12(case, "mac-iterations")
