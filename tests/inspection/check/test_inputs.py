"""Each kind of input: what is checked, and inputs that cannot be used."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.formats.pkcs7 import pkcs7_file
from pkigen.inspection.check import CheckOptions, CheckResult, check_files, files_in
from pkigen.inspection.check.pem_form import openssl_problem
from pkigen.requirements import load_set
from pkigen.x509 import CertificateList
from tests.inspection.path.hierarchies import NOW, Entity, crl, issue, name
from tests.tools import run

_DAY = timedelta(days=1)
_URI = x509.UniformResourceIdentifier("http://crl.test/ca.crl")
_POINT = x509.CRLDistributionPoints([x509.DistributionPoint([_URI], None, None, None)])
ROOT = issue("Input Root", ca=True)
CA = issue("Input CA", ROOT, ca=True)
LEAF = issue("leaf", CA, _POINT)
WITHOUT_URL = issue("without URL", CA)
REVOKED = x509.ReasonFlags.key_compromise


class Folder:
    """A directory of PEM files; ``check`` checks some of them against a set."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, file: str, *contents: Entity | CertificateList) -> Path:
        target = self.path / file
        target.write_bytes(b"".join(map(_pem, contents)))
        return target

    def key(self, file: str, entity: Entity) -> Path:
        target = self.path / file
        form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        target.write_bytes(entity.key.private_bytes(*form))
        return target

    def check(self, *files: str, against: str = "rfc5280") -> tuple[CheckResult, ...]:
        paths = [self.path / file for file in files]
        return check_files(paths, [load_set(against)], CheckOptions(now=NOW))

    def one(self, *files: str, against: str = "rfc5280") -> CheckResult:
        (result,) = self.check(*files, against=against)
        return result


def _pem(content: Entity | CertificateList) -> bytes:
    if isinstance(content, Entity):
        return pem.encode("CERTIFICATE", content.der)
    return pem.encode("X509 CRL", content.der)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    directory = Folder(tmp_path)
    directory.add("leaf.crt", LEAF)
    directory.key("leaf.key", LEAF)
    directory.add("chain.pem", CA, ROOT)
    directory.add("ca.crl", crl(CA))
    directory.add("root.crl", crl(ROOT))
    return directory


def status(result: CheckResult, requirement: str) -> str:
    return next(str(f.outcome.status) for f in result.findings if f.requirement.id == requirement)


def violated(result: CheckResult) -> set[str]:
    return {finding.requirement.id for finding in result.broken}


def problems(result: CheckResult) -> list[str]:
    return [artifact.problem for artifact in result.unread]


@pytest.mark.parametrize("revoking", ["leaf", "ca"])
def test_a_revocation_anywhere_on_the_path_is_a_violation(revoking: str, folder: Folder) -> None:
    by_root = {CA.certificate.serial_number: REVOKED} if revoking == "ca" else {}
    by_ca = {LEAF.certificate.serial_number: REVOKED} if revoking == "leaf" else {}
    folder.add("ca.crl", crl(CA, revoked=by_ca))
    folder.add("root.crl", crl(ROOT, revoked=by_root))
    result = folder.one("leaf.crt", "leaf.key", "chain.pem", "ca.crl", "root.crl")
    assert "not-revoked" in violated(result)
    assert not result.verdicts[0].accepted
    finding = next(f for f in result.broken if f.requirement.id == "not-revoked")
    assert ("the CA [CN=Input CA] is revoked" in finding.outcome.actual) is (revoking == "ca")


def test_a_delta_crl_and_a_crl_for_a_certificate_without_urls_count(folder: Folder) -> None:
    serial = WITHOUT_URL.certificate.serial_number
    folder.add("bare.crt", WITHOUT_URL)
    folder.add("delta.crl", crl(CA, x509.DeltaCRLIndicator(1), number=2, revoked={serial: REVOKED}))
    assert "not-revoked" not in violated(folder.one("bare.crt", "chain.pem", "ca.crl"))
    assert "not-revoked" in violated(folder.one("bare.crt", "chain.pem", "ca.crl", "delta.crl"))


def test_the_original_files_have_no_violation(folder: Folder) -> None:
    result = folder.one("leaf.crt", "leaf.key", "chain.pem", "ca.crl", "root.crl")
    assert (violated(result), result.unread, status(result, "not-revoked")) == (set(), (), "pass")


@pytest.mark.parametrize("data", [b"<html>404 Not Found</html>", b"", b"\x30\x82\xff\xff"])
@pytest.mark.parametrize("file", ["leaf.key", "chain.pem", "ca.crl"])
def test_a_file_that_cannot_be_read_means_not_accepted(file: str, data: bytes, folder: Folder) -> None:
    (folder.path / file).write_bytes(data)
    result = folder.one("leaf.crt", "leaf.key", "chain.pem", "ca.crl", against="defender-iot")
    assert (result.as_expected, result.verdicts[0].accepted) == (False, False)
    assert [one.source.file for one in result.unread] == [str(folder.path / file)]
    reasons = " ".join(finding.outcome.reason for finding in result.findings)
    assert "file was given" not in reasons


def test_a_missing_file_beside_others_means_not_accepted_and_alone_it_is_an_error(folder: Folder) -> None:
    result = folder.one("leaf.crt", "none.pem")
    assert (result.as_expected, len(result.unread)) == (False, 1)
    assert "No such file" in problems(result)[0]
    with pytest.raises(InputError, match="No such file"):
        folder.check("none.pem", "none.crt")


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("other.key", "the key does not match the certificate"),
        ("other.pem", "it does not contain the certificate's issuer"),
        ("public.pem", "it is a public key, which is not checked beside a certificate"),
    ],
)
def test_an_input_that_does_not_belong_to_the_certificate_means_not_accepted(
    file: str, problem: str, folder: Folder
) -> None:
    other = issue("Other Root", ca=True)
    folder.key("other.key", other)
    folder.add("other.pem", other)
    public = other.certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder.path / "public.pem").write_bytes(public)
    result = folder.one("leaf.crt", file)
    assert (problems(result), result.verdicts[0].accepted) == ([problem], False)


def test_a_ca_certificate_that_precedes_the_certificate_means_not_accepted(folder: Folder) -> None:
    folder.add("reversed.crt", CA, LEAF)
    folder.add("full.crt", LEAF, CA, ROOT)
    assert "precedes the certificate" in problems(folder.one("reversed.crt", "leaf.key"))[0]
    assert folder.one("full.crt", "leaf.key").unread == ()


def test_a_ca_certificate_has_the_requirements_of_cas(folder: Folder) -> None:
    folder.add("ca.crt", CA)
    folder.add("root.crt", ROOT)
    result = folder.one("ca.crt", "root.crt")
    assert (violated(result), result.verdicts, result.as_expected) == (set(), (), True)
    assert status(result, "key-usage-no-certsign") == "not applicable"
    assert status(result, "ca-basic-constraints") == "pass"
    folder.add("wrong.crt", issue("Wrong CA", ROOT, ca=True, subject=name()))
    assert "ca-subject" in violated(folder.one("wrong.crt", "root.crt"))


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("usage", "with_key", "subject_cn"),
    [
        ((), True, "pass"),
        ((), False, "not applicable"),
        (("-addext", "keyUsage=critical,keyCertSign"), True, "not applicable"),
    ],
)
def test_a_certificate_of_openssl_req_with_its_key_is_checked_as_an_appliances_certificate(
    usage: tuple[str, ...], with_key: bool, subject_cn: str, folder: Folder
) -> None:
    """``openssl req -x509`` states CA:TRUE in every certificate."""
    files = ("-keyout", folder.path / "self.key", "-out", folder.path / "self.crt")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a.test", *files, *usage)
    result = folder.one("self.crt", *(["self.key"] if with_key else []), against="defender-iot")
    assert status(result, "subject-cn") == subject_cn


def test_a_chain_has_the_requirements_of_chains(folder: Folder) -> None:
    result = folder.one("chain.pem", against="defender-iot")
    assert status(result, "chain-encoding") == "pass"
    assert status(result, "certificate-encoding") == "not applicable"
    assert result.inapplicable == ()


def test_a_crl_has_the_requirements_of_crls(folder: Folder) -> None:
    result = folder.one("ca.crl")
    assert (violated(result), result.verdicts, result.as_expected) == (set(), (), True)
    assert status(result, "crl-fresh") == "pass"
    folder.add("old.crl", crl(CA, start=NOW - 9 * _DAY, end=NOW - _DAY))
    assert violated(folder.one("old.crl")) == {"crl-fresh"}
    of_ca, of_crl = folder.check("old.crl", "chain.pem")
    assert (violated(of_ca), violated(of_crl)) == (set(), {"crl-fresh"})


def test_a_crl_of_none_of_the_certificates_is_checked_in_its_own_right(folder: Folder) -> None:
    folder.add("other.crl", crl(issue("Other Root", ca=True), start=NOW - 9 * _DAY, end=NOW - _DAY))
    results = folder.check("leaf.crt", "chain.pem", "other.crl")
    assert [Path(one.name).name for one in results] == ["leaf.crt", "other.crl"]
    assert not results[1].as_expected


@pytest.mark.parametrize("against", ["defender-iot", "rfc5280"])
def test_a_key_without_a_certificate_is_not_accepted(against: str, folder: Folder) -> None:
    result = folder.one("leaf.key", against=against)
    assert (result.as_expected, result.verdicts[0].accepted) == (False, False)
    assert problems(result) == ["it is a private key, and no certificate was given"]


def test_a_set_without_a_requirement_for_an_input_is_not_satisfied(folder: Folder) -> None:
    folder.add("ca.crt", CA)
    result = folder.one("ca.crt", against="defender-iot")
    assert (result.inapplicable, result.as_expected) == (("defender-iot",), False)


def test_a_directory_stands_for_the_files_in_it(folder: Folder) -> None:
    (folder.path / "README.txt").write_text("not a certificate")
    (folder.path / ".hidden.crt").write_text("not a certificate")
    names = [path.name for path in files_in(folder.path)]
    assert names == ["ca.crl", "chain.pem", "leaf.crt", "leaf.key", "root.crl"]
    assert folder.one(*names).as_expected
    with pytest.raises(InputError, match="is not a built environment, and has no file"):
        files_in(Path(shutil.copytree(folder.path, folder.path / "empty", ignore=lambda *_: names)))


TWO = _pem(CA) + _pem(ROOT)
_FORMS = {
    "as it should be": TWO,
    "CR LF": TWO.replace(b"\n", b"\r\n"),
    "text before and after": b"subject=CN\n" + TWO + b"\nend\n",
    "spaces at the ends of lines": TWO.replace(b"-----\n", b"----- \n"),
    "without a final line break": TWO.rstrip(),
    "joined": TWO.replace(b"-----\n-----", b"----------"),
    "indented": b"".join(b"  " + line for line in TWO.splitlines(keepends=True)),
    "UTF-16": b"\xff\xfe" + TWO.decode().encode("utf-16-le"),
    "CR": TWO.replace(b"\n", b"\r"),
    "byte order mark": b"\xef\xbb\xbf" + TWO,
    "text before BEGIN on its line": TWO.replace(b"-----BEGIN", b"x -----BEGIN"),
}


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("title", _FORMS)
def test_a_pem_file_has_a_problem_exactly_if_openssl_does_not_read_all_of_it(
    title: str, tmp_path: Path
) -> None:
    path = tmp_path / "chain.pem"
    path.write_bytes(_FORMS[title])
    bundle = subprocess.run(
        ["openssl", "crl2pkcs7", "-nocrl", "-certfile", str(path)], capture_output=True, check=False
    ).stdout
    listed = subprocess.run(
        ["openssl", "pkcs7", "-print_certs"], input=bundle, capture_output=True, check=False
    ).stdout
    assert (openssl_problem(_FORMS[title]) == "") is (listed.count(b"subject=") == 2), listed


@pytest.mark.parametrize("title", ["joined", "indented", "UTF-16", "CR"])
def test_a_chain_that_openssl_does_not_read_means_not_accepted(title: str, folder: Folder) -> None:
    (folder.path / "chain.pem").write_bytes(_FORMS[title])
    result = folder.one("leaf.crt", "leaf.key", "chain.pem", against="defender-iot")
    assert not result.verdicts[0].accepted
    assert problems(result)[0].startswith("OpenSSL does not read this PEM file: ")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("label", ["CERTIFICATE", "X509 CERTIFICATE", "certificate", "PKCS7", "CERT"])
def test_a_label_that_openssl_does_not_know_means_not_accepted(label: str, folder: Folder) -> None:
    (folder.path / "leaf.crt").write_bytes(pem.encode(label, LEAF.der))
    command = ["openssl", "x509", "-noout", "-in", str(folder.path / "leaf.crt")]
    reads = subprocess.run(command, capture_output=True, check=False).returncode == 0
    result = folder.one("leaf.crt", "leaf.key", "chain.pem", "ca.crl", "root.crl")
    assert result.as_expected is result.verdicts[0].accepted is reads
    expected = (
        f"OpenSSL does not read this PEM file: its certificate has the label '{label}'; use 'CERTIFICATE'"
    )
    assert problems(result) == ([] if reads else [expected])


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(("name", "command"), [("leaf.crt", "x509"), ("leaf.key", "pkey")])
def test_base64_without_begin_and_end_lines_means_not_accepted(
    name: str, command: str, folder: Folder
) -> None:
    body = [line for line in (folder.path / name).read_bytes().splitlines() if b"-----" not in line]
    (folder.path / name).write_bytes(b"\n".join(body) + b"\n")
    reading = ["openssl", command, "-noout", "-in", str(folder.path / name)]
    assert subprocess.run(reading, capture_output=True, check=False).returncode != 0
    result = folder.one("leaf.crt", "leaf.key", "chain.pem", "ca.crl", "root.crl")
    assert not result.as_expected
    assert not result.verdicts[0].accepted
    assert problems(result) == [
        "OpenSSL does not read this PEM file: it is base64 without BEGIN and END lines"
    ]


def test_pkcs7_that_has_the_label_of_a_certificate_means_not_accepted(folder: Folder) -> None:
    (folder.path / "chain.pem").write_bytes(pem.encode("CERTIFICATE", pkcs7_file([CA.der, ROOT.der])))
    result = folder.one("leaf.crt", "leaf.key", "chain.pem", "ca.crl", "root.crl")
    assert problems(result) == [
        "OpenSSL does not read this PEM file: its PKCS#7 has the label 'CERTIFICATE'; use 'PKCS7'"
    ]
