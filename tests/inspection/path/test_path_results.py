"""Results of validations of small paths: problems, ends of paths, unused CRLs, and notes about files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pkigen.asn1.oids import SUBJECT_ALTERNATIVE_NAME
from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.inspection.path import PathResult, validate
from pkigen.inspection.path.problems import PathProblem, describe_certificate, problem_of_code
from pkigen.inspection.path.verify import Verification, VerifiedCertificate, verify
from pkigen.x509 import Certificate, CertificateList

_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key; a CA has an empty CRL."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    certificate: Certificate
    crl: CertificateList


def _issue(name: str, issuer: Issued | None, *extensions: x509.ExtensionType) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder(serial_number=x509.random_serial_number())
        .subject_name(subject)
        .issuer_name(issuer.name if issuer else subject)
        .public_key(key.public_key())
        .not_valid_before(_NOW - _DAY)
        .not_valid_after(_NOW + 100 * _DAY)
        .add_extension(x509.BasicConstraints(ca=name != "leaf", path_length=None), critical=True)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    certificate = builder.sign(issuer.key if issuer else key, SHA256())
    revocations = x509.CertificateRevocationListBuilder().issuer_name(subject)
    crl = revocations.last_update(_NOW - _DAY).next_update(_NOW + _DAY).sign(key, SHA256())
    encoded = certificate.public_bytes(Encoding.DER), crl.public_bytes(Encoding.DER)
    return Issued(subject, key, Certificate(encoded[0]), CertificateList(encoded[1]))


_ROOT = _issue("root", None)
_ISSUING = _issue("issuing", _ROOT)
_LEAF = _issue("leaf", _ISSUING)


def _rules(
    leaf: Issued, intermediates: list[Issued], anchors: list[Issued], *, partial: bool = False
) -> list[tuple[str, int]]:
    result = validate(
        leaf.certificate,
        [one.certificate for one in intermediates],
        [one.certificate for one in anchors],
        at=_NOW,
        check_crls=True,
        partial=partial,
    )
    return [(problem.rule, problem.depth) for problem in result.problems]


def test_revocation_is_checked_up_to_the_anchor() -> None:
    missing = [("crl-missing", 0), ("crl-missing", 1)]
    assert _rules(_LEAF, [_ISSUING], [_ROOT]) == missing
    assert _rules(_LEAF, [], [_ISSUING], partial=True) == missing[:1]


def test_revocation_is_not_checked_on_a_path_without_an_anchor() -> None:
    assert _rules(_LEAF, [_ISSUING], []) == [("no-issuer", 1)]
    assert _rules(_LEAF, [_ISSUING, _ROOT], []) == [("untrusted-root", 2)]
    assert _rules(_LEAF, [], [_ROOT]) == [("no-issuer", 0)]


@pytest.mark.parametrize(
    ("intermediates", "crls", "reason"),
    [
        ([], [_ISSUING.crl], "the path is not valid"),
        ([_ISSUING], [_issue("other", None).crl], "no certificate of the path is from its issuer"),
    ],
)
def test_a_crl_that_is_not_used_has_the_reason(
    intermediates: list[Issued], crls: list[CertificateList], reason: str
) -> None:
    known = [one.certificate for one in intermediates]
    result = validate(_LEAF.certificate, known, [_ROOT.certificate], at=_NOW, crls=crls, check_crls=True)
    assert result.unused_crls == {crls[0].der: reason}


_CLIENT, _SERVER = (
    x509.ExtendedKeyUsage([one]) for one in (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)
)
_CERT_SIGN = x509.KeyUsage(*(number == 5 for number in range(9)))
_POLICY = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)])
_EXPLICIT = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None)


_NETSCAPE = x509.ObjectIdentifier("2.16.840.1.113730.1.1")
_NETSCAPE_CLIENT = x509.UnrecognizedExtension(_NETSCAPE, b"\x03\x02\x07\x80")
_NETSCAPE_BOTH = x509.UnrecognizedExtension(_NETSCAPE, b"\x03\x02\x06\xc0")


@pytest.mark.parametrize(
    ("issuing", "leaf", "problems"),
    [
        ((), (), []),
        ((), (_NETSCAPE_CLIENT,), [("purpose", 0)]),
        ((), (_NETSCAPE_BOTH,), []),
        ((), (_CLIENT,), [("purpose", 0)]),
        ((), (_SERVER,), []),
        ((_CLIENT,), (_SERVER,), [("purpose", 1)]),
        ((_CERT_SIGN,), (_SERVER,), []),
        ((), (_CERT_SIGN,), [("purpose", 0)]),
        ((_POLICY, _EXPLICIT), (), [("policy", 0)]),
        ((_POLICY, _EXPLICIT), (_POLICY,), []),
    ],
)
def test_purposes_and_policies_are_those_of_the_whole_path(
    issuing: tuple[x509.ExtensionType, ...],
    leaf: tuple[x509.ExtensionType, ...],
    problems: list[tuple[str, int]],
) -> None:
    authority = _issue("issuing", _ROOT, *issuing)
    certificate = _issue("leaf", authority, *leaf).certificate
    known, anchors = [authority.certificate], [_ROOT.certificate]
    result = validate(certificate, known, anchors, at=_NOW, purpose="server")
    assert [(problem.rule, problem.depth) for problem in result.problems] == problems


def test_the_problem_of_a_purpose_lists_the_key_usages() -> None:
    usage = x509.KeyUsage(*(number in (1, 5) for number in range(9)))
    certificate = _issue("leaf", _ISSUING, usage).certificate
    known, anchors = [_ISSUING.certificate], [_ROOT.certificate]
    (problem,) = validate(certificate, known, anchors, at=_NOW, purpose="client").problems
    assert problem.message.endswith("(client; its key usage is nonRepudiation, keyCertSign)")


_CURVE, _UNKNOWN_CURVE = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d030163")


def test_an_issuer_with_an_unsupported_key_leaves_the_path_undecided() -> None:
    below = _issue("leaf", _ROOT)
    unsupported = Certificate(_ROOT.certificate.der.replace(_CURVE, _UNKNOWN_CURVE))
    result = validate(below.certificate, [], [unsupported], at=_NOW)
    assert result.undecided, result.problems
    (problem,) = result.problems
    assert (problem.rule, problem.depth, problem.code != 0) == ("unsupported", 1, True)


def test_alternative_names_that_cannot_be_read_are_a_problem_of_the_certificate(tmp_path: Path) -> None:
    malformed = x509.UnrecognizedExtension(x509.ObjectIdentifier(SUBJECT_ALTERNATIVE_NAME), b"\x30\x03\x82")
    verified = _verified(tmp_path, _issue("leaf", _ISSUING, malformed), _ISSUING, _ROOT, host="leaf")
    problems = [(problem.rule, problem.depth) for problem in verified.problems]
    assert problems == [("no-issuer", 0), ("malformed", 0)]
    assert not any("common name" in note for note in verified.notes)


def test_a_time_that_cannot_be_read_is_a_problem() -> None:
    der = _LEAF.certificate.der
    end = f"{_LEAF.certificate.not_after:%y%m%d%H%M%S}Z".encode()
    assert der.count(end) == 1
    leaf = Certificate(der.replace(end, b"26" + b"99" + end[4:]))
    result = validate(leaf, [_ISSUING.certificate], [_ROOT.certificate], at=_NOW)
    assert ("malformed", 0) in [(problem.rule, problem.depth) for problem in result.problems]


@pytest.mark.parametrize(
    ("code", "depth", "rule", "message"),
    [
        (18, 0, "untrusted-root", "The certificate [CN=leaf] is self-signed and not trusted"),
        (19, 2, "untrusted-root", "The CA [CN=leaf] leads to a root that is not trusted (text)"),
        (10, 1, "expired", "The CA [CN=leaf] has expired"),
        (55, 0, "other", "The certificate [CN=leaf]: text"),
    ],
)
def test_an_error_of_openssl_is_a_problem_of_a_certificate(
    code: int, depth: int, rule: str, message: str
) -> None:
    problem = problem_of_code(code, "text", depth, _LEAF.certificate)
    assert (problem.rule, problem.depth, problem.code, problem.message) == (rule, depth, code, message)
    assert problem.advice.endswith(".")


def test_a_problem_without_a_readable_certificate_names_what_is_known() -> None:
    value = b"\x0c\x04leaf"
    nameless = _LEAF.certificate.der.replace(value, b"\x0c\x05leaf")
    assert describe_certificate(Certificate(nameless), 0) == "The certificate [a subject that cannot be read]"
    assert describe_certificate(None, -1) == "The path"
    assert describe_certificate(None, 0) == "A certificate of the path"


@pytest.mark.parametrize(
    ("rules", "ok", "undecided"),
    [
        ((), True, False),
        (("unsupported",), False, True),
        (("unsupported", "unsupported"), False, True),
        (("unsupported", "expired"), False, False),
        (("expired",), False, False),
    ],
)
def test_only_unsupported_algorithms_leave_a_path_undecided(
    rules: tuple[str, ...], ok: bool, undecided: bool
) -> None:
    result = PathResult(tuple(PathProblem(rule, "", "") for rule in rules), ())
    assert (result.ok, result.undecided) == (ok, undecided)


def _verified(tmp_path: Path, *issued: Issued, **options: Any) -> VerifiedCertificate:
    file = tmp_path / "chain.pem"
    file.write_bytes(b"".join(pem.certificate(one.certificate.der) for one in issued))
    return verify(Verification(file, _NOW, **options))


@pytest.mark.parametrize(
    "order", [(_LEAF, _ISSUING, _ROOT), (_ISSUING, _LEAF, _ROOT), (_ROOT, _ISSUING, _LEAF)]
)
def test_the_certificate_of_a_file_is_the_one_that_issued_no_other(
    tmp_path: Path, order: tuple[Issued, ...]
) -> None:
    verified = _verified(tmp_path, *order)
    assert verified.accepted
    assert verified.result.path == (_LEAF.certificate, _ISSUING.certificate, _ROOT.certificate)


@pytest.mark.parametrize(("host", "by_common_name"), [("leaf", True), ("other", False), (None, False)])
def test_a_host_that_only_the_common_name_matches_is_noted(
    tmp_path: Path, host: str | None, by_common_name: bool
) -> None:
    verified = _verified(tmp_path, _LEAF, _ISSUING, _ROOT, host=host)
    assert verified.accepted is (host != "other")
    assert any("common name" in note for note in verified.notes) is by_common_name


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "the file is empty"), (_ROOT.crl.der, "it is a CRL"), (b"\x30\x01", ".+")],
)
def test_a_file_without_a_certificate_is_an_error_with_the_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(InputError, match=rf"contains no certificate that can be read: {reason}"):
        verify(Verification(file, _NOW))


def test_downloads_add_to_the_notes_on_trust(tmp_path: Path) -> None:
    verified = _verified(tmp_path, _LEAF, _ISSUING, _ROOT, fetch_crls=True)
    assert [problem.rule for problem in verified.problems] == ["crl-missing", "crl-missing"]
    assert [note.partition(":")[0] for note in verified.notes] == ["No --trust was given"]
