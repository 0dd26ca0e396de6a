"""CRLs with stated contents, and names with string types: openssl reads what the profile states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.environment.build.options import BuildOptions
from pkigen.errors import InputError
from pkigen.model import AdditionalCrl
from pkigen.plan.additional_crls import additional_crl
from pkigen.profile import AdditionalCrlSpec, load
from tests.openssl import with_new_names
from tests.tools import run

pytestmark = pytest.mark.needs("openssl")

AUTHORITIES = """\
name: x
defaults: {key: ec-p256}
authorities:
  root: {subject: {CN: Root CA}}
  a:
    issuer: root
    subject: {CN: A}
    crl: none
"""


def built(tmp_path: Path, text: str) -> Path:
    (tmp_path / "x.yaml").write_text(text)
    return build(tmp_path / "x.yaml", tmp_path / "out", BuildOptions(keys="pool")).folder


def crl(folder: Path, name: str) -> str:
    path = folder / "www" / "crl" / "a" / f"{name}.crl"
    return with_new_names(run("openssl", "crl", "-inform", "DER", "-in", path, "-noout", "-text"))


def certificate(folder: Path, name: str) -> str:
    path = folder / "certificates" / name / f"{name}.crt"
    return with_new_names(run("openssl", "x509", "-in", path, "-noout", "-text"))


def test_a_crl_without_stated_times_has_those_of_its_authority() -> None:
    assert additional_crl(AdditionalCrlSpec.model_validate({"name": "one"}), {}) == AdditionalCrl("one")


def test_a_crl_has_the_stated_contents(tmp_path: Path) -> None:
    folder = built(
        tmp_path,
        f"""{AUTHORITIES}    crls:
      - name: one
        number: 5
        base: 2
        this_update: 2026-01-02
        next_update: 2060-01-01
        issuer_name: {{CN: Somebody else}}
        scope:
          names: [{{dirname: {{CN: Point}}}}, "uri:http://a.test/1.crl"]
          only: ca
          reasons: [keyCompromise, superseded]
          indirect: true
        entries:
          - -1
          - {{serial: 0x0a0b, reason: removeFromCRL, at: 2026-01-01, issuer: root}}
        freshest_crl: ["http://a.test/delta.crl"]
""",
    )
    text = crl(folder, "one")
    assert "Issuer: CN=Somebody else" in text
    assert "Last Update: Jan  2 00:00:00 2026 GMT" in text
    assert "Next Update: Jan  1 00:00:00 2060 GMT" in text
    assert "CRL Number: \n                5" in text
    assert "Delta CRL Indicator: critical\n                2" in text
    assert "Issuing Distribution Point: critical" in text
    assert "DirName:CN=Point" in text
    assert "URI:http://a.test/1.crl" in text
    assert "Only CA Certificates" in text
    assert "Indirect CRL" in text
    assert "Key Compromise, Superseded" in text
    assert "Freshest CRL" in text
    assert "Serial Number: -01" in text
    assert "Serial Number: 0A0B\n        Revocation Date: Jan  1 00:00:00 2026 GMT" in text
    assert "Remove From CRL" in text
    assert (
        "Certificate Issuer: critical\n                DirName:/CN=Root CA" in text
        or "DirName:CN=Root CA" in text
    )


@pytest.mark.parametrize(
    ("scope", "line"),
    [
        ("{relative_name: {CN: Point}}", "Relative Name:\n                  CN=Point"),
        ("{only: user}", "Only User Certificates"),
        ("{only: attribute}", "Only Attribute Certificates"),
        ("{only: user, critical: false}", "Issuing Distribution Point: \n"),
    ],
)
def test_a_crl_has_the_stated_scope(scope: str, line: str, tmp_path: Path) -> None:
    folder = built(tmp_path, f"{AUTHORITIES}    crls: [{{name: one, scope: {scope}}}]\n")
    assert line in crl(folder, "one")


def test_without_a_complete_crl_the_manifest_names_the_first_of_the_others(tmp_path: Path) -> None:
    folder = built(
        tmp_path,
        f"{AUTHORITIES}    crls: [{{name: one, number: 7, next_update: 2060-01-01}}, {{name: two}}]\n",
    )
    entry: dict[str, Any] = json.loads((folder / "manifest.json").read_text())["authorities"][1]["crl"]
    assert (entry["file"], entry["number"]) == ("www/crl/a/one.crl", 7)
    assert entry["next_update"] == "2060-01-01T00:00:00Z"
    assert [part["file"] for part in entry["parts"]] == ["www/crl/a/two.crl"]
    assert not (folder / "www" / "crl" / "a.crl").exists()
    before = (folder / "www" / "crl" / "a" / "one.crl").read_bytes()
    build(tmp_path / "x.yaml", tmp_path / "out", BuildOptions(keys="pool"))
    assert (folder / "www" / "crl" / "a" / "one.crl").read_bytes() == before


def test_a_crl_with_a_changed_entry_is_published_again(tmp_path: Path) -> None:
    folder = built(tmp_path, f"{AUTHORITIES}    crls: [{{name: one, entries: [1]}}]\n")
    built(tmp_path, f"{AUTHORITIES}    crls: [{{name: one, entries: [1, 2]}}]\n")
    assert "Serial Number: 02" in crl(folder, "one")


def test_a_certificate_has_the_stated_names_and_serial_number(tmp_path: Path) -> None:
    folder = built(
        tmp_path,
        f"""{AUTHORITIES}certificates:
  leaf:
    issuer: a
    subject: {{O: {{printable: Contoso}}, OU: [{{bmp: One}}, {{teletex: Two}}], CN: leaf.a.test}}
    issuer_name: {{CN: Another}}
    serial: -200
    crl_distribution_points:
      - {{relative_name: {{CN: Point}}, crl_issuer: {{CN: Lister}}}}
      - {{names: [{{dirname: {{CN: Full}}}}]}}
""",
    )
    text = certificate(folder, "leaf")
    assert (
        "(Negative)c8" in text.replace("\n", "").replace(" ", "").replace(":", "").lower() or "-200" in text
    )
    assert "Issuer: CN=Another" in text
    assert "Relative Name:\n                  CN=Point" in text
    assert "DirName:CN=Full" in text
    path = folder / "certificates" / "leaf" / "leaf.crt"
    parsed = run("openssl", "asn1parse", "-in", path)
    assert "PRINTABLESTRING   :Contoso" in parsed
    assert "BMPSTRING" in parsed
    assert "T61STRING         :Two" in parsed


def test_a_string_type_replaces_that_of_the_inherited_value(tmp_path: Path) -> None:
    folder = built(
        tmp_path,
        """name: x
defaults: {key: ec-p256, subject: {O: {printable: Base}}}
authorities:
  root: {subject: {CN: Root CA}}
certificates:
  leaf: {issuer: root, subject: {O: {bmp: Own}, CN: {printable: "{{ name }}.a.test"}}}
""",
    )
    parsed = run("openssl", "asn1parse", "-in", folder / "certificates" / "leaf" / "leaf.crt")
    assert "BMPSTRING" in parsed
    assert "PRINTABLESTRING   :leaf.a.test" in parsed
    assert "DNS:leaf.a.test" in certificate(folder, "leaf")


def test_a_ca_can_inherit_the_parameters_of_its_dsa_key(tmp_path: Path) -> None:
    folder = built(
        tmp_path,
        """name: x
authorities:
  root: {subject: {CN: Root CA}, key: dsa-2048}
  a: {issuer: root, subject: {CN: A}, key: dsa-2048, dsa_parameters: inherited}
certificates:
  leaf: {issuer: a, subject: {CN: leaf.a.test}, key: ec-p256}
""",
    )
    parsed = {
        name: run("openssl", "asn1parse", "-in", folder / "authorities" / name / f"{name}.crt")
        for name in ("root", "a")
    }
    sizes = {name: len(text.splitlines()) for name, text in parsed.items()}
    assert "dsaEncryption" in parsed["a"]
    assert parsed["root"].count("INTEGER") - parsed["a"].count("INTEGER") == 3, sizes
    leaf = folder / "certificates" / "leaf" / "leaf.crt"
    assert "dsa_with_SHA256" in run("openssl", "x509", "-in", leaf, "-noout", "-text")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "    crls: [{name: delta}]",
            "'delta' is the name of a CRL that `crl` publishes; choose another name",
        ),
        ("    crls: [{name: part-1}]", "'part-1' is the name of a CRL that `crl` publishes"),
        ("    crls: [{name: one}, {name: one}]", "the CRL 'one' is listed twice"),
        (
            "    crls: [{name: one, base: 3, number: 2}]",
            "a delta CRL needs a number that is not below its base",
        ),
        ("    crls: [{name: one, base: 3}]", "a delta CRL needs a number"),
        ("    crls: [{name: one, scope: {}}]", "this says nothing"),
        ("    crls: [{name: one, scope: {names: [uri:http://a.test/], relative_name: {CN: a}}}]", "not both"),
        ("    crls: [{name: one, scope: {relative_name: {O: a, CN: b}}}]", "a relative name has one RDN"),
        ("    crls: [{name: one, entries: [{serial: 1, issuer: roof}]}]", "no authority is called 'roof'"),
        ("    crls: [{name: one, entries: [0]}]", "'0' is not a serial number: it must not be zero"),
        ("    dsa_parameters: inherited", "the authority and its issuer need DSA keys"),
    ],
)
def test_an_error_in_crls_has_its_location(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"{AUTHORITIES}{line}\n")
    with pytest.raises(InputError) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.location is not None
    assert problem.location.line == 9


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ("{CN: {printable: a_b}}", "CN is a PrintableString, which cannot hold 'a_b'"),
        ("{CN: {ia5: ä}}", "CN is an IA5String, which cannot hold 'ä'"),
        ("{CN: {teletex: ж}}", "CN is a TeletexString, which cannot hold 'ж'"),
        ("{CN: {printabel: a}}", "no such string type: 'printabel' (did you mean 'printable'?)"),
        ("{CN: {utf8: [a]}}", "the value of CN must be a text, or a string type and a text"),
    ],
)
def test_a_value_that_its_string_type_cannot_hold_is_rejected(
    subject: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"name: x\nauthorities:\n  root: {{subject: {subject}}}\n")
    with pytest.raises(InputError) as caught:
        load(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("{id: a, certificate: lead, expect: accept}", "no certificate is called 'lead'"),
        ("{id: a, certificate: leaf, authorities: [b], expect: accept}", "no authority is called 'b'"),
        ("{id: a, certificate: leaf, chain: [b], expect: accept}", "no authority is called 'b'"),
        ("{id: a, certificate: leaf, trust: [b], expect: accept}", "no authority is called 'b'"),
        ("{id: a, certificate: leaf, policies: [x], expect: accept}", "'x' is not an object identifier"),
        ("{id: a, certificate: leaf}", "expect"),
    ],
)
def test_an_error_in_a_path_test_has_its_location(test: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    leaf = "certificates: {leaf: {issuer: a, subject: {CN: leaf.a.test}}}"
    path.write_text(f"{AUTHORITIES}{leaf}\npath_tests:\n  - {test}\n")
    with pytest.raises(InputError) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert message in f"{problem.where} {problem.message}"
    assert problem.location is not None
    assert problem.location.line == 11
