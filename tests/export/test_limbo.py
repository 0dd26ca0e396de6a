"""limbo.json: what x509-limbo's schema wants, and true to the cases that it is made of."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.x509 import load_pem_x509_crl

from pkigen import BuildOptions, build
from pkigen.environment.environment import Environment
from pkigen.export import TARGETS, ExportOptions, export
from pkigen.matrix import subjects_of, subjects_of_limbo
from tests.export.conftest import PASSPHRASE, Export

_ID = "^([A-Za-z][A-Za-z0-9-.]+::)*([A-Za-z][A-Za-z0-9-.]+)$"
_STRING, _STRINGS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
_PEER = {
    "type": "object",
    "required": ["kind", "value"],
    "properties": {"kind": {"enum": ["RFC822", "DNS", "IP"]}, "value": _STRING},
}
_USAGES = ("digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement")
_PURPOSES = ("anyExtendedKeyUsage", "serverAuth", "clientAuth", "codeSigning", "emailProtection")
_FEATURES = (
    *("has-policy-constraints", "has-cert-policies", "no-cert-policies", "pedantic-public-suffix-wildcard"),
    *("name-constraint-dn", "pedantic-webpki-subscriber-key", "pedantic-webpki-eku", "max-chain-depth"),
    *("pedantic-serial-number", "pedantic-rfc5280", "rfc5280-incompatible-with-webpki"),
    *("denial-of-service", "has-crl"),
)
_FIELDS: dict[str, Any] = {
    "id": {"type": "string", "pattern": _ID},
    "conflicts_with": {"type": "array", "items": {"type": "string", "pattern": _ID}},
    "features": {"type": "array", "items": {"enum": list(_FEATURES)}},
    "importance": {"enum": ["undetermined", "low", "medium", "high", "critical"]},
    "description": _STRING,
    "validation_kind": {"enum": ["CLIENT", "SERVER"]},
    "trusted_certs": _STRINGS,
    "untrusted_intermediates": _STRINGS,
    "peer_certificate": _STRING,
    "peer_certificate_key": {"type": ["string", "null"]},
    "validation_time": {"type": ["string", "null"], "format": "date-time"},
    "signature_algorithms": _STRINGS,
    "key_usage": {"type": "array", "items": {"enum": list(_USAGES)}},
    "extended_key_usage": {"type": "array", "items": {"enum": list(_PURPOSES)}},
    "expected_result": {"enum": ["SUCCESS", "FAILURE"]},
    "expected_peer_name": {"anyOf": [_PEER, {"type": "null"}]},
    "expected_peer_names": {"type": "array", "items": _PEER},
    "max_chain_depth": {"type": ["integer", "null"]},
    "crls": _STRINGS,
}
_OPTIONAL = {
    *("conflicts_with", "features", "importance", "peer_certificate_key", "validation_time"),
    *("expected_peer_name", "max_chain_depth", "crls"),
}
SCHEMA = {
    "type": "object",
    "required": ["version", "testcases"],
    "properties": {
        "version": {"const": 1},
        "testcases": {
            "type": "array",
            "items": {
                "type": "object",
                "required": sorted(_FIELDS.keys() - _OPTIONAL),
                "properties": _FIELDS,
                "additionalProperties": False,
            },
        },
    },
}
"""The facts of limbo-schema.json (github.com/C2SP/x509-limbo), as of version 1, in our words."""


@pytest.fixture
def document(exported: Export) -> Any:
    folder = exported("limbo", passphrases=(PASSPHRASE,)).folder
    return json.loads((folder / "limbo.json").read_bytes())


def _by_name(document: Any) -> dict[str, dict[str, Any]]:
    return {one["id"].partition("::")[2]: one for one in document["testcases"]}


def test_the_export_matches_the_schema(document: Any) -> None:
    jsonschema.validate(document, SCHEMA)
    assert len({one["id"] for one in document["testcases"]}) == len(document["testcases"])


def test_cases_that_a_testcase_cannot_express_are_omitted_with_the_reason(exported: Export) -> None:
    left_out = exported("limbo").left_out
    assert "encoding of a file" in left_out["sensor.pem-utf16"]
    assert "a server's responses" in left_out["sensor.crl-http-404"]
    assert "a server's responses" in left_out["sensor.ocsp-revoked"]
    assert "handshake" in left_out["sensor.tls-no-certificate"]
    assert "encoding of a file" in left_out["sensor.key-mismatch"]


def test_results_times_names_and_crls_are_those_of_the_cases(document: Any, environment: Environment) -> None:
    result = _by_name(document)
    clock = datetime.fromisoformat(environment.manifest["clock"])
    assert result["sensor"]["expected_result"] == result["sensor.pem-crlf"]["expected_result"] == "SUCCESS"
    assert result["sensor.expired"]["expected_result"] == "FAILURE"
    assert datetime.fromisoformat(result["sensor"]["validation_time"]) == clock
    assert result["sensor"]["expected_peer_name"] == {"kind": "DNS", "value": "sensor.contoso.test"}
    assert result["gateway"]["expected_peer_name"] == {"kind": "IP", "value": "10.1.0.7"}
    assert result["edge"]["expected_peer_name"]["value"].lower() == "host.edge.contoso.test"
    assert (result["sensor"]["features"], result["sensor"]["crls"]) == ([], [])
    assert (result["retired"]["features"], len(result["retired"]["crls"])) == (["has-crl"], 2)
    assert (result["retired"]["expected_result"]) == "FAILURE"


@pytest.fixture(scope="module")
def negatives(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    faults = ["expired", "san-wrong-host", "revoked", "crl-stale", "cdp-unreachable", "unique-ids"]
    profile = {
        "name": "negatives",
        "requirements": ["defender-iot"],
        "defaults": {"subject": {"C": "US", "O": "Contoso Inc.", "OU": "Contoso Labs"}, "key": "rsa-2048"},
        "authorities": {
            "root": {"subject": {"CN": "R"}},
            "issuing": {"issuer": "root", "subject": {"CN": "I"}},
        },
        "certificates": {"sensor": {"issuer": "issuing", "subject": {"CN": "sensor.contoso.test"}}},
        "negatives": [{"of": "sensor", "faults": faults}, {"of": "sensor", "against": "defender-iot"}],
    }
    return build(profile, tmp_path_factory.mktemp("limbo"), BuildOptions(keys="pool"))


def test_matrix_reads_fault_and_faulty_part_of_each_testcase(negatives: Environment, tmp_path: Path) -> None:
    done = export(negatives, TARGETS["limbo"], ExportOptions(out=tmp_path / "limbo"))
    (tmp_path / "cases").mkdir()
    read, _ = subjects_of_limbo(tmp_path / "limbo" / "limbo.json", tmp_path / "cases")
    built = {subject.name: subject for subject in subjects_of(negatives)}
    for subject in read:
        original = built[subject.name.partition("::")[2]]
        assert (subject.fault, subject.expected) == (original.fault, original.expected)
        assert (subject.spoils == "host") is (original.spoils == "host"), subject.name
    faults = {one.fault for one in read}
    assert {"", "expired", "san-wrong-host", "revoked", "crl-stale", "not-revoked-revoked"} <= faults
    for name in ("sensor.cdp-unreachable", "sensor.crl-reachable-unpublished"):
        assert "when they download the CRL" in done.left_out[name]
    for name in ("sensor.key-matches-other", "sensor.chain-encoding-pkcs7", "sensor.key-sound-unsound"):
        assert "encoding of a file" in done.left_out[name]
    assert "validators differ" in done.left_out["sensor.public-key-2048-rsa-1024"]


def test_a_revocation_is_in_effect_at_the_time_of_its_testcase(
    negatives: Environment, tmp_path: Path
) -> None:
    """Java compares instants: a CRL entry of the same second does not count yet."""
    export(negatives, TARGETS["limbo"], ExportOptions(out=tmp_path / "limbo"))
    document = json.loads((tmp_path / "limbo" / "limbo.json").read_bytes())
    revoked = _by_name(document)["sensor.revoked"]
    crls = [load_pem_x509_crl(crl.encode()) for crl in revoked["crls"]]
    times = [entry.revocation_date_utc for crl in crls for entry in crl]
    assert times
    assert datetime.fromisoformat(revoked["validation_time"]) > max(times)


def test_the_export_contains_no_key(document: Any) -> None:
    assert "PRIVATE KEY" not in json.dumps(document)


def _verified(case: dict[str, Any], folder: Path) -> str:
    """Return the error of openssl verify with all data of a testcase; "" for success."""
    for name in ("trusted_certs", "untrusted_intermediates", "crls"):
        (folder / name).write_text("".join(case[name]))
    (folder / "peer").write_text(case["peer_certificate"])
    at = int(datetime.fromisoformat(case["validation_time"]).timestamp())
    peer = case["expected_peer_name"]
    done = subprocess.run(
        [
            *("openssl", "verify", "-x509_strict", "-auth_level", "2", "-purpose", "sslserver"),
            *("-attime", str(at)),
            *("-CAfile", folder / "trusted_certs", "-no-CApath", "-no-CAstore"),
            *(("-untrusted", folder / "untrusted_intermediates") if case["untrusted_intermediates"] else ()),
            *(("-crl_check_all", "-CRLfile", folder / "crls") if case["crls"] else ()),
            *("-verify_ip" if peer["kind"] == "IP" else "-verify_hostname", peer["value"]),
            folder / "peer",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr


@pytest.mark.needs("openssl")
def test_openssl_has_the_expected_result(document: Any, tmp_path: Path) -> None:
    words = {"sensor.expired": "expired", "retired": "revoked", "sensor.sig-md5": "too weak"}
    judged = {name: _verified(case, tmp_path) for name, case in _by_name(document).items()}
    for name, case in _by_name(document).items():
        assert bool(judged[name]) == (case["expected_result"] == "FAILURE"), f"{name}: {judged[name]}"
        assert words.get(name, "") in judged[name]
    assert {"sensor", "edge", "gateway", "locked", *words} <= judged.keys()


def test_clients_are_exported_with_their_names(tmp_path: Path) -> None:
    client = {
        "issuer": "root",
        "extended_key_usage": ["clientAuth"],
        "san": [
            "dns:client.contoso.test",
            "ip:10.1.0.9",
            "email:a@contoso.test",
            "uri:spiffe://contoso.test/a",
        ],
    }
    profile = {
        "name": "clients",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}},
        "certificates": {"client": client, "responder": {**client, "extended_key_usage": ["OCSPSigning"]}},
        "negatives": [{"of": "client", "faults": ["expired", "san-wrong-host", "nc-dn-excluded-violation"]}],
    }
    environment = build(profile, tmp_path / "out", BuildOptions(keys="pool"))
    done = export(environment, TARGETS["limbo"], ExportOptions(out=tmp_path / "limbo"))
    document = json.loads((tmp_path / "limbo" / "limbo.json").read_bytes())
    jsonschema.validate(document, SCHEMA)
    result = _by_name(document)
    assert {"client", "client.expired"} <= result.keys()
    for one in result.values():
        assert (one["validation_kind"], one["extended_key_usage"]) == ("CLIENT", ["clientAuth"])
        assert one["expected_peer_name"] is None
    assert result["client"]["expected_peer_names"] == [
        {"kind": "DNS", "value": "client.contoso.test"},
        {"kind": "IP", "value": "10.1.0.9"},
        {"kind": "RFC822", "value": "a@contoso.test"},
    ]
    assert (result["client"]["expected_result"], result["client.expired"]["expected_result"]) == (
        "SUCCESS",
        "FAILURE",
    )
    assert "neither TLS servers nor TLS clients" in done.left_out["responder"]
    assert "host name" in done.left_out["client.san-wrong-host"]


def test_faults_that_not_every_validator_processes_have_their_feature(tmp_path: Path) -> None:
    profile = {
        "name": "optional",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": {"server": {"issuer": "issuing", "subject": {"CN": "a.contoso.test"}}},
        "negatives": [{"of": "server", "faults": ["nc-dn-excluded-violation", "pol-require-explicit-unmet"]}],
    }
    environment = build(profile, tmp_path / "out", BuildOptions(keys="pool"))
    export(environment, TARGETS["limbo"], ExportOptions(out=tmp_path / "limbo"))
    result = _by_name(json.loads((tmp_path / "limbo" / "limbo.json").read_bytes()))
    assert {name: one["features"] for name, one in result.items()} == {
        "server": [],
        "server.nc-dn-excluded-violation": ["name-constraint-dn"],
        "server.pol-require-explicit-unmet": ["has-policy-constraints"],
    }
