"""Cross-certified and imported authorities, several roots, self-signed end entities."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import CRLEntryExtensionOID, NameOID

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.errors import InputError
from pkigen.profile import load
from tests.environment.profiles import Document, build_it, changes, manifest, small
from tests.openssl import Judge

pytestmark = pytest.mark.needs("openssl")


def _openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True).stdout


def _verify(trust: Path, untrusted: list[Path], certificate: Path) -> bool:
    command = ["openssl", "verify", "-x509_strict", "-CAfile", str(trust)]
    for path in untrusted:
        command += ["-untrusted", str(path)]
    return subprocess.run([*command, str(certificate)], capture_output=True, check=False).returncode == 0


def test_a_cross_certificate_leads_to_the_other_root(tmp_path: Path) -> None:
    document = small()
    document["authorities"]["other"] = {"subject": {"CN": "Other Root"}}
    document["authorities"]["issuing"] = {"issuer": ["root", "other"], "subject": {"CN": "Issuing"}}
    folder = build_it(document, tmp_path).folder
    issuing, leaf = folder / "authorities/issuing", folder / "certificates/console/console.crt"
    other, root = (folder / f"authorities/{name}/{name}.crt" for name in ("other", "root"))
    assert _verify(root, [issuing / "issuing.crt"], leaf)
    assert _verify(other, [issuing / "issuing.cross-other.crt"], leaf)
    assert not _verify(other, [issuing / "issuing.crt"], leaf)
    (authority,) = [a for a in manifest(folder)["authorities"] if a["name"] == "issuing"]
    assert [cross["issuer"] for cross in authority["cross_certificates"]] == ["other"]
    document["authorities"]["other"]["subject"] = {"CN": "Another Root"}
    assert changes(build_it(document, tmp_path)).keys() >= {"other", "issuing", "console"}


def test_a_root_can_be_cross_certified_by_another(tmp_path: Path) -> None:
    document = small()
    document["authorities"]["old"] = {"subject": {"CN": "Old Root"}}
    document["authorities"]["root"] = {"issuer": ["self", "old"], "subject": {"CN": "New Root"}}
    folder = build_it(document, tmp_path).folder
    issuing = folder / "authorities/issuing/issuing.crt"
    cross = folder / "authorities/root/root.cross-old.crt"
    leaf = folder / "certificates/console/console.crt"
    assert _verify(folder / "authorities/old/old.crt", [issuing, cross], leaf)
    assert _verify(folder / "trust.pem", [issuing], leaf)
    assert (folder / "trust.pem").read_text().count("BEGIN CERTIFICATE") == 2


def test_a_self_signed_end_entity_trusts_itself_alone(tmp_path: Path) -> None:
    document = small()
    document["certificates"]["alone"] = {"issuer": "self", "subject": {"CN": "alone.test"}}
    judge = Judge(build_it(document, tmp_path).folder)
    (case,) = [one for one in judge.manifest["cases"] if one["name"] == "alone"]
    assert judge.verify(case) == ""
    assert case["verdict"]["expected"] == "reject"
    assert "alone" not in _openssl("storeutl", "-noout", "-text", str(judge.folder / "trust.pem"))


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A root and an issuing CA that openssl issued; the key of the issuing CA is encrypted."""
    folder = tmp_path / "lab"
    folder.mkdir()
    root, ca = str(folder / "root"), str(folder / "ca")
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-keyout", f"{root}.key", "-out", f"{root}.crt",
        "-days", "3650", "-subj", "/C=DE/O=Prüflabor/CN=Lab Root", "-utf8", *usage,
    )  # fmt: skip
    _openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-passout", "pass:geheim",
        "-keyout", f"{ca}.key", "-out", f"{ca}.crt", "-days", "1825", "-subj", "/O=Lab/CN=Lab Issuing",
        "-CA", f"{root}.crt", "-CAkey", f"{root}.key", *usage,
    )  # fmt: skip
    return folder


def _with_lab(**imported: object) -> Document:
    document = small()
    paths = {"certificate": "lab/ca.crt", "key": "lab/ca.key", "chain": "lab/root.crt", **imported}
    document["authorities"] = {"lab": {"from": {k: v for k, v in paths.items() if v is not None}}}
    document["certificates"] = {"console": {"issuer": "lab", "subject": {"CN": "console.test"}}}
    return document


def test_an_authority_from_files_issues_and_publishes_a_crl(lab: Path, tmp_path: Path) -> None:
    profile = load(_with_lab(passphrase="geheim"), folder=tmp_path)
    folder = build(profile, tmp_path / "out", BuildOptions()).folder
    entity = folder / "certificates/console"
    assert _verify(lab / "root.crt", [lab / "ca.crt"], entity / "console.crt")
    assert _verify(folder / "trust.pem", [entity / "chain.pem"], entity / "console.crt")
    assert (entity / "chain.pem").read_text().count("BEGIN CERTIFICATE") == 2
    command = ["crl", "-inform", "DER", "-in", str(folder / "www/crl/lab.crl"), "-noout"]
    subprocess.run(["openssl", *command, "-CAfile", str(lab / "ca.crt")], check=True, capture_output=True)
    (authority,) = manifest(folder)["authorities"]
    assert authority["key"]["kind"] == "ec-p256"
    assert build(profile, tmp_path / "out", BuildOptions()).summary.up_to_date


def test_importing_another_authority_reissues_the_certificates_below_it(lab: Path, tmp_path: Path) -> None:
    profile = load(_with_lab(passphrase="geheim"), folder=tmp_path)
    build(profile, tmp_path / "out", BuildOptions())
    _openssl(
        "req", "-x509", "-key", str(lab / "ca.key"), "-passin", "pass:geheim", "-out", str(lab / "ca.crt"),
        "-days", "30", "-subj", "/O=Lab/CN=Lab Issuing 2", "-CA", str(lab / "root.crt"),
        "-CAkey", str(lab / "root.key"),
    )  # fmt: skip
    again = load(_with_lab(passphrase="geheim"), folder=tmp_path)
    result = build(again, tmp_path / "out", BuildOptions(force=True))
    assert changes(result) == {"lab": "reissue", "console": "reissue"}


@pytest.mark.parametrize(
    ("imported", "words"),
    [
        ({"passphrase": "wrong"}, "the passphrase is wrong"),
        ({}, "it is encrypted, and no passphrase was given"),
        ({"key": "lab/root.key"}, "does not belong to the certificate"),
        ({"certificate": "lab/ca.key"}, "contains no certificate"),
        ({"key": "lab/none.key"}, "cannot be read: No such file"),
        ({"key": None}, "without a key"),
    ],
)
def test_mismatched_import_files_are_reported_before_anything_is_written(
    lab: Path, tmp_path: Path, imported: Document, words: str
) -> None:
    assert lab.exists()
    with pytest.raises(InputError, match=words):
        build(load(_with_lab(**imported), folder=tmp_path), tmp_path / "out", BuildOptions())
    assert not (tmp_path / "out").exists()


def test_an_end_entity_certificate_cannot_be_imported_as_a_ca(lab: Path, tmp_path: Path) -> None:
    _openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-keyout", str(lab / "leaf.key"),
        "-out", str(lab / "leaf.crt"), "-subj", "/CN=leaf", "-addext", "basicConstraints=CA:FALSE",
    )  # fmt: skip
    imported = _with_lab(certificate="lab/leaf.crt", key="lab/leaf.key", chain=None)
    with pytest.raises(InputError, match="is not a CA's"):
        build(load(imported, folder=tmp_path), tmp_path / "out", BuildOptions())


def test_importing_an_rsa_pss_authority_is_reported_as_unsupported(lab: Path, tmp_path: Path) -> None:
    pss = str(lab / "pss")
    _openssl(
        "req", "-x509", "-newkey", "rsa-pss", "-noenc", "-keyout", f"{pss}.key", "-out", f"{pss}.crt",
        "-subj", "/CN=pss",
    )  # fmt: skip
    imported = _with_lab(certificate="lab/pss.crt", key="lab/pss.key", chain=None)
    with pytest.raises(InputError, match="RSA-PSS alone, which is not supported"):
        build(load(imported, folder=tmp_path), tmp_path / "out", BuildOptions())


def test_an_authority_can_be_imported_without_its_key(lab: Path, tmp_path: Path) -> None:
    assert lab.exists()
    document = small()
    paths = {"certificate": "lab/root.crt"}
    document["authorities"]["partner"] = {"from": paths}
    folder = build(load(document, folder=tmp_path), tmp_path / "out", BuildOptions()).folder
    assert sorted(path.name for path in (folder / "authorities/partner").iterdir()) == [
        "chain.pem",
        "partner.crt",
    ]
    (partner,) = [a for a in manifest(folder)["authorities"] if a["name"] == "partner"]
    assert partner["crl"] is None
    assert partner["trusted"] is True


def _subjects(path: Path) -> list[str]:
    certificates = x509.load_pem_x509_certificates(path.read_bytes())
    return [str(one.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value) for one in certificates]


def _hierarchy(folder: Path) -> None:
    """A root, two CAs below each other, and an unrelated root, by openssl."""
    for name, issuer in (("root", ""), ("middle", "root"), ("low", "middle"), ("other", "")):
        key, certificate = str(folder / f"{name}.key"), str(folder / f"{name}.crt")
        signed = (
            ("-CA", str(folder / f"{issuer}.crt"), "-CAkey", str(folder / f"{issuer}.key")) if issuer else ()
        )
        _openssl(
            *(
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-noenc",
                "-keyout",
                key,
            ),
            *("-out", certificate, "-days", "900", "-subj", f"/CN={name}", *signed),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )


@pytest.mark.parametrize(
    ("certificate", "chain"),
    [
        (["low"], ["root", "middle"]),
        (["root", "middle", "low"], None),
        (["low", "root"], ["other", "middle"]),
        (["middle", "low"], ["root", "low"]),
    ],
)
@pytest.mark.parametrize("with_key", [True, False])
def test_the_chain_of_an_imported_ca_is_in_the_order_of_its_path(
    tmp_path: Path, certificate: list[str], chain: list[str] | None, with_key: bool
) -> None:
    _hierarchy(tmp_path)
    imported = {"certificate": "ca.pem", **({"key": "low.key"} if with_key else {})}
    (tmp_path / "ca.pem").write_bytes(b"".join((tmp_path / f"{n}.crt").read_bytes() for n in certificate))
    if chain is not None:
        (tmp_path / "chain.pem").write_bytes(b"".join((tmp_path / f"{n}.crt").read_bytes() for n in chain))
        imported["chain"] = "chain.pem"
    document: Document = {"name": "order", "authorities": {"low": {"from": imported}}}
    if with_key:
        document["certificates"] = {"a": {"issuer": "low", "key": "ec-p256", "formats": ["fullchain"]}}
    result = build(load(document, folder=tmp_path), tmp_path / "out", BuildOptions())
    assert _subjects(result.folder / "authorities/low/low.crt") == ["low"]
    assert _subjects(result.folder / "trust.pem") == ["root"]
    notes = [note for note in result.summary.notes if "other" in note]
    assert bool(notes) is ("other" in (chain or []))
    if with_key:
        entity = result.folder / "certificates/a"
        assert _subjects(entity / "chain.pem") == ["low", "middle", "root"]
        assert _subjects(entity / "fullchain.pem") == ["a", "low", "middle"]
        (case,) = manifest(result.folder)["cases"]
        assert case["trust"] == ["trust.pem"]
        assert _verify(result.folder / case["trust"][0], [entity / "chain.pem"], entity / "a.crt")


def test_an_imported_issuing_ca_without_its_root_is_the_trust_anchor(tmp_path: Path) -> None:
    _hierarchy(tmp_path)
    imported = {"certificate": "low.crt", "key": "low.key", "chain": "middle.crt"}
    document = {"name": "alone", "authorities": {"low": {"from": imported}}}
    result = build(load(document, folder=tmp_path), tmp_path / "out", BuildOptions())
    assert _subjects(result.folder / "trust.pem") == ["middle"]
    assert [
        note for note in result.summary.notes if note.startswith("authorities.low.from: its root is missing")
    ]


def _old_crl(folder: Path, signer: str, *, delta: bool = False) -> Path:
    """A CRL with the number 7 and two entries, by cryptography."""
    now = datetime.now(UTC).replace(microsecond=0)
    key = load_pem_private_key((folder / f"{signer}.key").read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate((folder / "low.crt").read_bytes()).subject
    builder = x509.CertificateRevocationListBuilder(issuer, now - timedelta(days=1), now + timedelta(days=1))
    builder = builder.add_extension(x509.CRLNumber(7), False)
    if delta:
        builder = builder.add_extension(x509.DeltaCRLIndicator(3), True)
    for serial, flag in ((5, x509.ReasonFlags.key_compromise), (6, None)):
        entry = x509.RevokedCertificateBuilder(serial, now - timedelta(days=2))
        builder = builder.add_revoked_certificate(
            (entry.add_extension(x509.CRLReason(flag), False) if flag else entry).build()
        )
    path = folder / "old.crl"
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))
    return path


def _continued(**crl: str) -> Document:
    imported = {"certificate": "low.crt", "key": "low.key"}
    return {"name": "continued", "authorities": {"low": {"from": imported, "crl": crl}}}


def _crl(folder: Path) -> tuple[int, dict[int, str | None]]:
    crl = x509.load_der_x509_crl((folder / "www/crl/low.crl").read_bytes())
    entries = {}
    for entry in crl:
        reasons = [
            one.value.reason.value for one in entry.extensions if one.oid == CRLEntryExtensionOID.CRL_REASON
        ]
        entries[entry.serial_number] = reasons[0] if reasons else None
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number, entries


def test_the_crl_of_an_imported_ca_continues_its_previous_one(tmp_path: Path) -> None:
    _hierarchy(tmp_path)
    _old_crl(tmp_path, "low")
    folder = build(load(_continued(), folder=tmp_path), tmp_path / "out", BuildOptions()).folder
    assert _crl(folder) == (1, {})
    profile = load(_continued(**{"from": "old.crl"}), folder=tmp_path)
    build(profile, tmp_path / "out", BuildOptions())
    assert _crl(folder) == (8, {5: "keyCompromise", 6: None})
    assert build(profile, tmp_path / "out", BuildOptions()).summary.up_to_date
    assert _crl(folder)[0] == 8


@pytest.mark.parametrize(
    ("signer", "delta", "words"),
    [("other", False, "is not signed by CN=low"), ("low", True, "is a delta CRL")],
)
def test_a_previous_crl_that_is_not_the_authoritys_is_an_error_at_its_line(
    tmp_path: Path, signer: str, delta: bool, words: str
) -> None:
    _hierarchy(tmp_path)
    _old_crl(tmp_path, signer, delta=delta)
    with pytest.raises(InputError, match=words) as error:
        build(load(_continued(**{"from": "old.crl"}), folder=tmp_path), tmp_path / "out", BuildOptions())
    assert error.value.problems[0].where == "authorities.low.crl.from"
