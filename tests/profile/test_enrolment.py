"""Requests and key files of certificates, and the section ``enrolment``: what is an error, and where."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AttributeOID
from hypothesis import given
from hypothesis import strategies as st

from pkigen.errors import InputError
from pkigen.profile import GeneralNames, load
from pkigen.profile.certification_request import read_request
from pkigen.profile.enrolment import MOST_TEMPLATES, NameNotAllowed
from tests.certification_requests import request, write_key

_DER = request("d.contoso.test", ["d.contoso.test", "10.0.0.7"], encoding=Encoding.DER)
_BASE = """
name: lab
authorities: {root: {}}
"""


def _problem(tmp_path: Path, text: str) -> str:
    (tmp_path / "lab.yaml").write_text(_BASE + text)
    with pytest.raises(InputError) as caught:
        load(tmp_path / "lab.yaml")
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_a_request_determines_key_and_names_unless_the_certificate_sets_them(tmp_path: Path) -> None:
    (tmp_path / "d.csr").write_bytes(request("d.contoso.test", ["d.contoso.test"]))
    (tmp_path / "lab.yaml").write_text(
        _BASE + "defaults: {subject: {O: Contoso}}\ncertificates:\n"
        "  one: {issuer: root, csr: d.csr}\n  two: {issuer: root, csr: d.csr, subject: {CN: x.test}}\n"
    )
    one, two = load(tmp_path / "lab.yaml").certificates()
    assert one.subject == (("CN", "d.contoso.test"),)
    assert two.subject == (("O", "Contoso"), ("CN", "x.test"))
    assert (one.key, one.given_key) == ("ec-p256", two.given_key)
    assert one.given_key is not None
    assert one.given_key.pkcs8 is None


def test_alternative_names_of_a_certificate_replace_those_of_its_request(tmp_path: Path) -> None:
    (tmp_path / "named.csr").write_bytes(request("d.test", ["d.test", "10.0.0.7"]))
    (tmp_path / "plain.csr").write_bytes(request("d.test"))
    (tmp_path / "lab.yaml").write_text(
        _BASE + "certificates:\n  one: {issuer: root, csr: named.csr}\n"
        "  two: {issuer: root, csr: named.csr, san: ['dns:x.test']}\n"
        "  three: {issuer: root, csr: plain.csr}\n"
    )
    one, two, three = (spec.san for spec in load(tmp_path / "lab.yaml").certificates())
    assert isinstance(one, GeneralNames)
    assert [name.value for name in one.names] == ["d.test", "10.0.0.7"]
    assert isinstance(two, GeneralNames)
    assert [name.value for name in two.names] == ["x.test"]
    assert three is None


def test_a_request_is_read_among_other_blocks_of_a_file(tmp_path: Path) -> None:
    other = b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"
    assert read_request(other + request("a.test") + other).subject_pairs == (("CN", "a.test"),)
    with pytest.raises(InputError, match="the file contains several requests; give one"):
        read_request(request("a.test") + request("b.test"))
    with pytest.raises(InputError, match=r"the request cannot be read: "):
        read_request(request("a.test").replace(b"M", b"!", 1))
    with pytest.raises(InputError, match=r"in PEM or DER$"):
        read_request(other)


def test_the_challenge_password_of_a_request_is_read() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    plain = builder.add_attribute(x509.ObjectIdentifier("1.2.840.113549.1.9.2"), b"unstructured")
    both = plain.add_attribute(AttributeOID.CHALLENGE_PASSWORD, b"secret")
    passwords = [
        read_request(one.sign(key, SHA256()).public_bytes(Encoding.DER)).challenge_password
        for one in (builder, plain, both)
    ]
    assert passwords == [None, None, "secret"]


@pytest.mark.parametrize(
    ("authorities", "certificates", "issuer"),
    [
        ("root: {}", "", "root"),
        ("root: {}, sub: {issuer: root}", "", "sub"),
        ("root: {}, sub: {issuer: root}", "a: {issuer: root}", "root"),
        ("root: {}, sub: {issuer: root}", "a: {issuer: root}, b: {issuer: sub, faults: [expired]}", "root"),
        ("root: {}, sub: {issuer: root}", "a: {issuer: self}", "sub"),
    ],
)
def test_requests_without_a_template_go_to_the_only_authority_that_issues_end_entities(
    authorities: str, certificates: str, issuer: str
) -> None:
    text = f"{{name: lab, authorities: {{{authorities}}}, certificates: {{{certificates}}}}}"
    template = load(yaml.safe_load(text)).template()
    assert template.specification(read_request(request("a.test")), "a").issuer == issuer


def test_requests_without_a_template_need_an_issuer_if_several_authorities_issue() -> None:
    profile = load({"name": "lab", "authorities": {"one": {}, "two": {}}})
    with pytest.raises(InputError, match="several authorities issue certificates: one, two; select one"):
        profile.template()
    assert profile.template("", "two").specification(read_request(request("a.test")), "a").issuer == "two"
    with pytest.raises(InputError, match="the profile has no section 'enrolment'; omit --template"):
        profile.template("sensors")


def test_a_key_file_determines_kind_and_key(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    write_key(tmp_path / "mine.key", key)
    (tmp_path / "lab.yaml").write_text(
        f"{_BASE}certificates: {{one: {{issuer: root, key: {{file: mine.key}}}}}}"
    )
    (one,) = load(tmp_path / "lab.yaml").certificates()
    assert one.key == "rsa-2048"
    assert one.given_key is not None
    assert one.given_key.pkcs8 is not None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("csr: none.csr", "none.csr cannot be read"),
        ("csr: noise.csr", "is not a certification request"),
        ("csr: forged.csr", "has not proved that it has the key"),
        ("csr: d.csr, formats: [pkcs12]", "'pkcs12' contains the private key, which only the device has"),
        ("csr: d.csr, key: {file: mine.key}", "the key is that of the request (csr); remove the key file"),
        ("key: {file: d.csr}", "the key cannot be read"),
        ("key: {path: mine.key}", "a key is a kind such as ec-p256, or {file: PATH}"),
    ],
)
def test_wrong_keys_and_requests_are_reported_at_their_line(
    tmp_path: Path, fields: str, message: str
) -> None:
    good = request()
    (tmp_path / "d.csr").write_bytes(good)
    (tmp_path / "noise.csr").write_bytes(b"noise")
    (tmp_path / "forged.csr").write_bytes(_DER[:-1] + bytes([_DER[-1] ^ 1]))
    write_key(tmp_path / "mine.key", ec.generate_private_key(ec.SECP256R1()))
    problem = _problem(tmp_path, f"certificates: {{one: {{issuer: root, {fields}}}}}")
    assert message in problem
    assert problem.startswith("lab.yaml:4:")


def test_a_self_signed_certificate_cannot_come_from_a_request(tmp_path: Path) -> None:
    (tmp_path / "d.csr").write_bytes(request())
    problem = _problem(tmp_path, "certificates: {one: {issuer: self, csr: d.csr}}")
    assert "so a CA must issue the certificate" in problem


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{issuer: rot}", "no authority is called 'rot'"),
        ("{}", "enrolment.sensors.issuer: this is missing"),
        ("{issuer: root, serial: 5}", "a template cannot have this key"),
        ("{issuer: root, like: nobody}", "no such certificate: 'nobody'"),
        ("{issuer: root, from_request: [subjet]}", "no such part of a request: 'subjet'"),
        ("{issuer: root, from_request: [san.dsn]}", "no such part of the san of a request: 'dsn'"),
        ("{issuer: root, subject: {CN: '{{ csr.XX }}'}}", "no such variable: 'csr.XX'"),
        ("{issuer: root, acme: {challenges: [http-02]}}", "acme.challenges.0"),
        ("{issuer: root, acme: {http_port: 0}}", "acme.http_port"),
        ("{issuer: root, est: {user: a, password: b}}", "unknown key 'password'"),
        ("5", "this must be a mapping"),
    ],
)
def test_a_wrong_template_is_reported_at_its_line(tmp_path: Path, template: str, message: str) -> None:
    problem = _problem(tmp_path, f"enrolment:\n  sensors: {template}")
    assert message in problem
    assert problem.startswith("lab.yaml:5:")


def test_a_template_has_the_fields_of_a_certificate_and_a_name_of_its_own(tmp_path: Path) -> None:
    text = "certificates: {one: {issuer: root, key: ec-p256, valid: 90d}}\nenrolment:\n"
    (tmp_path / "lab.yaml").write_text(f"{_BASE}{text}  sensors: {{like: one, subject: {{O: Lab}}}}")
    template = load(tmp_path / "lab.yaml").template("sensors")
    spec = template.specification(read_request(request("d.contoso.test")), "d")
    assert spec.valid.text.endswith("90d")
    assert spec.subject == (("O", "Lab"), ("CN", "d.contoso.test"))
    assert "a certificate has this name" in _problem(tmp_path, f"{text}  one: {{like: one}}")


def test_the_number_of_templates_is_limited(tmp_path: Path) -> None:
    templates = "enrolment:\n" + "".join(f"  t{n}: {{issuer: root}}\n" for n in range(MOST_TEMPLATES))
    (tmp_path / "lab.yaml").write_text(_BASE + templates)
    assert len(load(tmp_path / "lab.yaml").templates) == MOST_TEMPLATES
    problem = _problem(tmp_path, f"{templates}  more: {{issuer: root}}\n")
    assert f"enrolment: more than {MOST_TEMPLATES} templates" in problem


def test_variables_of_a_template_come_from_the_request(tmp_path: Path) -> None:
    text = "enrolment: {t: {issuer: root, subject: {CN: '{{ csr.CN | upper }}', OU: '{{ csr.dns }}'}}}"
    (tmp_path / "lab.yaml").write_text(_BASE + text)
    template = load(tmp_path / "lab.yaml").template("t")
    spec = template.specification(read_request(request("d.test", ["a.test"])), "d")
    assert spec.subject == (("CN", "D.TEST"), ("OU", "a.test"))
    with pytest.raises(NameNotAllowed, match="it has no dns, which the template uses"):
        template.specification(read_request(request("d.test")), "d")


@pytest.mark.parametrize(
    ("parts", "names", "expected"),
    [
        ("san", ["a.test", "10.0.0.1"], ["a.test", "10.0.0.1"]),
        ("san.dns", ["a.test", "10.0.0.1"], ["a.test"]),
        ("san.ip", ["a.test"], None),
        ("san", [], None),
        ("subject", ["a.test"], None),
    ],
)
def test_a_template_grants_the_names_of_its_parts_of_the_request(
    tmp_path: Path, parts: str, names: list[str], expected: list[str] | None
) -> None:
    (tmp_path / "lab.yaml").write_text(f"{_BASE}enrolment: {{t: {{issuer: root, from_request: [{parts}]}}}}")
    template = load(tmp_path / "lab.yaml").template("t")
    granted = template.specification(read_request(request("d.test", names)), "d").san
    if expected is None:
        assert granted is None
    else:
        assert isinstance(granted, GeneralNames)
        assert [name.value for name in granted.names] == expected


def test_a_request_without_a_subject_gets_its_first_name_as_common_name(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(f"{_BASE}enrolment: {{t: {{issuer: root, names: ['*.test']}}}}")
    template = load(tmp_path / "lab.yaml").template("t")
    spec = template.specification(read_request(request("", ["a.test", "b.test"])), "a.test-2")
    assert spec.subject == (("CN", "a.test"),)
    assert spec.name == "a.test-2"
    too_long = f"{'a' * 60}.example.test"
    assert not template.specification(read_request(request("", [too_long])), "a.test-2").subject


@given(st.data())
def test_a_damaged_request_is_read_or_an_input_error(data: st.DataObject) -> None:
    damaged = bytearray(_DER)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        requested = read_request(bytes(damaged))
    except InputError:
        return
    for name in ("subject_pairs", "names", "key_kind"):
        with suppress(ValueError):
            getattr(requested, name)
