"""Serial numbers, key identifiers and names that a profile states, in issued certificates."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pkigen.errors import InputError
from pkigen.profile import load
from tests.environment.profiles import Document, build_it, changes, manifest, reasons

_UID = NameOID.USER_ID


def _profile() -> Document:
    return {
        "name": "stated",
        "defaults": {"key": "ec-brainpoolp256r1"},
        "authorities": {"root": {"serial": "0x0a:1b", "subject_key_identifier": "01020304"}},
        "certificates": {
            "a": {"issuer": "root", "serial": "1000", "subject": {"O": "Lab", "CN+UID": ["a.test", "4711"]}},
            "b": {"issuer": "root", "subject_key_identifier": "0a", "authority_key_identifier": "01020304"},
        },
    }


def test_stated_values_are_in_the_certificates(tmp_path: Path) -> None:
    folder = build_it(_profile(), tmp_path).folder
    root, a, b = (
        x509.load_pem_x509_certificate((folder / f"{path}.crt").read_bytes())
        for path in ("authorities/root/root", "certificates/a/a", "certificates/b/b")
    )
    assert (root.serial_number, a.serial_number) == (0x0A1B, 1000)
    assert root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest == b"\1\2\3\4"
    for certificate in (a, b):
        identifier = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        assert identifier.key_identifier == b"\1\2\3\4"
    assert b.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest == b"\x0a"
    organization, rdn = a.subject.rdns
    assert {(one.oid, one.value) for one in rdn} == {(NameOID.COMMON_NAME, "a.test"), (_UID, "4711")}
    assert organization.rfc4514_string() == "O=Lab"
    names = a.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.test"]
    assert {case["verdict"]["expected"] for case in manifest(folder)["cases"]} == {"accept"}


def test_a_changed_serial_number_reissues_and_other_changes_keep_it(tmp_path: Path) -> None:
    document = _profile()
    build_it(document, tmp_path)
    document["certificates"]["a"]["serial"] = "1001"
    result = build_it(document, tmp_path)
    assert changes(result) == {"a": "reissue"}
    assert reasons(result, "a") == "its serial number changed"
    document["certificates"]["a"]["valid"] = "20d"
    folder = build_it(document, tmp_path).folder
    assert manifest(folder)["cases"][0]["serial"] == f"{1001:x}"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"serial": "0x03e8"}, "'a' has the serial number 1000 of the same issuer"),
        ({"serial": "0"}, "must not be zero"),
        ({"serial": "0x" + "80" + 19 * "00"}, "20 bytes at most"),
        ({"serial": "1_000"}, "not a serial number"),
        ({"subject": {"CN+UID": "x"}}, "needs a list of 2 values"),
        ({"subject": {"CN+CN": ["x", "y"]}}, "twice"),
        ({"subject": {"CN+UID": ["x", ""]}}, "not empty"),
        ({"subject": {"CN+UIDX": ["x", "y"]}}, "no such attribute type"),
    ],
)
def test_invalid_values_are_errors(fields: Document, words: str) -> None:
    document = _profile()
    document["certificates"]["b"] |= fields
    with pytest.raises(InputError, match=words):
        load(document)
