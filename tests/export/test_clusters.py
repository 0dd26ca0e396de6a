"""Compose and Kubernetes: the schemas hold, and nginx takes what its containers are given."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.export import TARGETS, ExportOptions, export
from tests.export.conftest import Export
from tests.tools import run


def _compose_complains(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.fixture
def compose(exported: Export) -> tuple[Path, dict[str, Any]]:
    folder = exported("compose").folder
    return folder, yaml.safe_load((folder / "compose.yaml").read_text())


def test_the_compose_file_matches_its_schema(compose: tuple[Path, dict[str, Any]]) -> None:
    folder, document = compose
    assert _compose_complains(folder / "compose.yaml") == ""
    document["services"]["sensor"]["port"] = []
    (folder / "wrong.yaml").write_text(yaml.safe_dump(document))
    assert "'port' was unexpected" in _compose_complains(folder / "wrong.yaml")


def test_each_service_has_its_files(compose: tuple[Path, dict[str, Any]]) -> None:
    folder, document = compose
    services = document["services"]
    assert {"pkigen-crl", "sensor", "edge", "sensor.expired"} <= services.keys()
    assert "sensor.tls-no-certificate" not in services
    for service in services.values():
        for kind in ("configs", "secrets"):
            for used in service.get(kind, ()):
                assert (folder / document[kind][used["source"]]["file"]).is_file()
    assert services["sensor"]["networks"]["lab"]["aliases"] == ["sensor.contoso.test", "also.contoso.test"]
    assert services["pkigen-crl"]["networks"]["lab"]["aliases"] == ["pki.contoso.test"]
    assert services["pkigen-crl"]["ports"] == ["127.0.0.1:8080:8080"]


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("name", ["crl.conf", "appliance.conf"])
def test_nginx_accepts_the_configuration_of_a_container(
    compose: tuple[Path, dict[str, Any]], tmp_path: Path, name: str
) -> None:
    folder = compose[0]
    text = (folder / name).read_text()
    for inside, outside in {
        "/etc/pkigen/tls.pem": folder / "certs/sensor.pem",
        "/run/secrets/tls.key": folder / "private/sensor.key",
        "/usr/share/nginx/html": folder / "www",
    }.items():
        text = text.replace(inside, str(outside))
    main = f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {text} }}"
    (tmp_path / "main.conf").write_text(main)
    run("nginx", "-t", "-p", tmp_path, "-c", "main.conf")


def test_a_base_url_with_localhost_is_reported(tmp_path: Path) -> None:
    environment = build(
        {"name": "near", "base_url": "http://127.0.0.1:8080", "authorities": {"root": {"key": "ec-p256"}}}
        | {"certificates": {"a": {"issuer": "root", "key": "ec-p256"}}},
        tmp_path,
    )
    done = export(environment, TARGETS["compose"], ExportOptions())
    assert done.folder == tmp_path / "near/export/compose"
    assert "which in a container is the container itself" in done.notes[0]
    document = yaml.safe_load((done.folder / "compose.yaml").read_text())
    assert document["services"]["pkigen-crl"]["networks"]["lab"]["aliases"] == []


def test_a_certificate_with_the_name_of_the_crl_service_is_omitted(tmp_path: Path) -> None:
    certificates = {name: {"issuer": "root", "key": "ec-p256"} for name in ("a", "pkigen-crl")}
    document = {"name": "near", "authorities": {"root": {"key": "ec-p256"}}, "certificates": certificates}
    done = export(build(document, tmp_path), TARGETS["compose"], ExportOptions())
    assert done.certificates == ("a",)
    assert list(done.left_out) == ["pkigen-crl"]


def _objects(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    documents = [
        document
        for name in ("private/secrets.yaml", "trust.yaml", "crl.yaml")
        for document in yaml.safe_load_all((folder / name).read_text())
        if document
    ]
    return {(one["kind"], one["metadata"]["name"]): one for one in documents}


def test_every_kubernetes_object_matches_its_schema(exported: Export) -> None:
    objects = _objects(exported("kubernetes").folder)
    version = kubernetes_validate.latest_version()
    for result in objects.values():
        kubernetes_validate.validate(result, version, strict=True)
    wrong = objects[("Secret", "sensor")] | {"date": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


def test_kubernetes_objects_contain_the_unmodified_files(environment: Environment, exported: Export) -> None:
    done = exported("kubernetes")
    objects = _objects(done.folder)
    secret = objects[("Secret", "sensor.pem-utf16")]
    case = environment["sensor.pem-utf16"]
    assert secret["type"] == "kubernetes.io/tls"
    assert base64.b64decode(secret["data"]["tls.crt"]).startswith(case.certificate.read_bytes())
    assert base64.b64decode(secret["data"]["tls.key"]) == case.key.read_bytes()
    trust = objects[("ConfigMap", "contoso-ot-trust")]["data"]["trust.pem"]
    assert trust == environment.trust.read_text()
    content = objects[("ConfigMap", "contoso-ot-crl")]["binaryData"]
    assert (
        base64.b64decode(content["lab_crl_issuing.crl"]) == (environment.www / "crl/issuing.crl").read_bytes()
    )
    (files, _) = objects[("Deployment", "contoso-ot-crl")]["spec"]["template"]["spec"]["volumes"]
    paths = {one["key"]: one["path"] for one in files["configMap"]["items"]}
    assert paths.keys() == content.keys()
    assert paths["lab_crl_issuing.crl"] == "lab/crl/issuing.crl"
    named = yaml.safe_load((done.folder / "kustomization.yaml").read_text())["resources"]
    assert all((done.folder / name).is_file() for name in named)


def test_names_that_collide_in_kubernetes_are_distinguished(tmp_path: Path) -> None:
    certificates = {name: {"issuer": "Root_CA", "key": "ec-p256"} for name in ("A_b", "a-B", "x_.y-")}
    authorities = {"Root_CA": {"key": "ec-p256"}}
    document = {"name": "1st.Lab_1", "authorities": authorities, "certificates": certificates}
    done = export(build(document, tmp_path), TARGETS["kubernetes"], ExportOptions())
    assert done.certificates == ("A_b", "x_.y-")
    assert done.left_out == {"a-B": "its Secret would have the same name as that of A_b"}
    objects = _objects(done.folder)
    assert {("Secret", "a-b"), ("Secret", "x.y"), ("ConfigMap", "1st.lab-1-crl")} <= objects.keys()
    for result in objects.values():
        kubernetes_validate.validate(result, kubernetes_validate.latest_version(), strict=True)
    labels = objects[("Deployment", "1st.lab-1-crl")]["spec"]["template"]["metadata"]["labels"]
    assert objects[("Service", "env-1st-lab-1-crl")]["spec"]["selector"] == labels


def test_crls_that_a_configmap_cannot_contain_are_reported(
    exported: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkigen.export.targets.kubernetes._MOST", 2_000)
    done = exported("kubernetes", only="edge")
    assert any("too large for a ConfigMap" in note for note in done.notes)
    named = yaml.safe_load((done.folder / "kustomization.yaml").read_text())["resources"]
    assert named == ["private/secrets.yaml", "trust.yaml"]
