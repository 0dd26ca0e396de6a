"""Layouts of products: kubeadm's /etc/kubernetes, and the PKI directories of OPC UA applications."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pkigen import BuildOptions, build
from pkigen.environment.environment import Environment, open_environment
from pkigen.environment.revoke import revoke
from pkigen.export import TARGETS, ExportOptions, ExportResult, export
from tests.export.conftest import free_port, running
from tests.tools import run

_PURPOSES = {"apiserver": "sslserver", "etcd/server": "sslserver", "etcd/peer": "sslserver"}
_CAS = {"etcd": "etcd/ca", "apiserver-etcd-client": "etcd/ca", "front-proxy-client": "front-proxy-ca"}


def _exported(environment: Environment, target: str, only: str = "*") -> ExportResult:
    return export(environment, TARGETS[target], ExportOptions(only=only))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build("kubernetes", tmp_path_factory.mktemp("cluster"), BuildOptions(keys="pool"))


@pytest.fixture(scope="module")
def etc(cluster: Environment) -> Path:
    """The directory /etc/kubernetes."""
    return _exported(cluster, "kubeadm").folder / "kubernetes"


def test_kubeadm_gets_every_file_that_the_documentation_lists(etc: Path) -> None:
    names = {path.relative_to(etc).as_posix() for path in etc.rglob("*") if path.is_file()}
    pairs = [
        *(
            "ca",
            "etcd/ca",
            "front-proxy-ca",
            "apiserver",
            "apiserver-kubelet-client",
            "apiserver-etcd-client",
        ),
        *("front-proxy-client", "etcd/server", "etcd/peer", "etcd/healthcheck-client"),
    ]
    users = ("admin", "super-admin", "controller-manager", "scheduler", "kubelet")
    assert names == {
        *(f"pki/{pair}.{suffix}" for pair in pairs for suffix in ("crt", "key")),
        *(f"{user}.conf" for user in users),
    }


@pytest.mark.needs("openssl")
def test_openssl_accepts_each_certificate_of_kubeadm_for_its_purpose(etc: Path) -> None:
    for path in sorted((etc / "pki").rglob("*.crt")):
        name = path.relative_to(etc / "pki").as_posix().removesuffix(".crt")
        public = run("openssl", "x509", "-in", path, "-noout", "-pubkey")
        assert public == run("openssl", "pkey", "-in", path.with_suffix(".key"), "-pubout")
        if name.endswith("ca"):
            continue
        ca = etc / "pki" / f"{_CAS.get(name, _CAS.get(name.partition('/')[0], 'ca'))}.crt"
        purpose = _PURPOSES.get(name, "sslclient")
        run("openssl", "verify", "-x509_strict", "-CAfile", ca, "-purpose", purpose, path)


@pytest.mark.needs("openssl")
def test_a_kubeconfig_has_the_user_the_key_and_the_ca(etc: Path, tmp_path: Path) -> None:
    document: dict[str, Any] = yaml.safe_load((etc / "admin.conf").read_text())
    user, cluster = document["users"][0]["user"], document["clusters"][0]["cluster"]
    files = {name: tmp_path / name for name in ("ca", "certificate", "key")}
    files["ca"].write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    files["certificate"].write_bytes(base64.b64decode(user["client-certificate-data"]))
    files["key"].write_bytes(base64.b64decode(user["client-key-data"]))
    run("openssl", "verify", "-CAfile", files["ca"], "-purpose", "sslclient", files["certificate"])
    public = run("openssl", "x509", "-in", files["certificate"], "-noout", "-pubkey")
    assert public == run("openssl", "pkey", "-in", files["key"], "-pubout")
    assert cluster["server"] == "https://control-01.cluster.example:6443"
    assert document["current-context"] == document["contexts"][0]["name"] == "admin"


def test_a_second_certificate_of_a_role_is_omitted(tmp_path: Path) -> None:
    role = [{"set": "kubernetes", "role": "kube-etcd-healthcheck-client"}]
    body = {"issuer": "ca", "san": "none", "extended_key_usage": ["clientAuth"], "requirements": role}
    profile = {
        "name": "two",
        "defaults": {"key": "ec-p256"},
        "authorities": {"ca": {"subject": {"CN": "etcd-ca"}}},
        "certificates": {"a": body, "b": body},
    }
    done = _exported(build(profile, tmp_path), "kubeadm")
    assert done.certificates == ("a",)
    assert done.left_out == {
        "b": "another certificate is kubernetes/pki/etcd/healthcheck-client.crt",
    }


def _answer(url: str, etc: Path, certificate: Path) -> subprocess.CompletedProcess[str]:
    client = ("--cert", certificate, "--key", certificate.with_suffix(".key"))
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", etc / "pki/etcd/ca.crt"]
    words = [str(word) for word in (*command, *client, url)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.needs("etcd", "curl")
def test_etcd_accepts_the_right_clients_and_rejects_a_wrong_purpose_and_another_ca(
    cluster: Environment, etc: Path, tmp_path: Path
) -> None:
    pki, (port, peer_port) = etc / "pki", (free_port(), free_port())
    url, peer_url = f"https://127.0.0.1:{port}", f"https://127.0.0.1:{peer_port}"
    ca = str(pki / "etcd/ca.crt")
    command = [
        *("etcd", "--name=a", f"--data-dir={tmp_path / 'data'}", f"--initial-cluster=a={peer_url}"),
        *(f"--listen-client-urls={url}", f"--advertise-client-urls={url}"),
        *(f"--listen-peer-urls={peer_url}", f"--initial-advertise-peer-urls={peer_url}"),
        *(f"--cert-file={pki / 'etcd/server.crt'}", f"--key-file={pki / 'etcd/server.key'}"),
        *(f"--peer-cert-file={pki / 'etcd/peer.crt'}", f"--peer-key-file={pki / 'etcd/peer.key'}"),
        *("--client-cert-auth", f"--trusted-ca-file={ca}"),
        *("--peer-client-cert-auth", f"--peer-trusted-ca-file={ca}"),
    ]
    wrong = cluster["etcd-healthcheck-client.client-purpose-no-clientauth"]
    with running(command, tmp_path, port, peer_port):
        for name in ("etcd/healthcheck-client", "apiserver-etcd-client", "etcd/peer"):
            assert '"etcdserver"' in _answer(f"{url}/version", etc, pki / f"{name}.crt").stdout, name
        for certificate in (wrong.certificate, pki / "apiserver-kubelet-client.crt"):
            answer = _answer(f"{url}/version", etc, certificate)
            assert (answer.returncode != 0, answer.stdout) == (True, "")
    log = (tmp_path / "said.log").read_text()
    assert "x509: certificate signed by unknown authority" in log
    assert wrong.data["fault"]["messages"][0] in log


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build("opcua", tmp_path_factory.mktemp("plant"), BuildOptions(keys="pool"))


@pytest.mark.parametrize(
    ("target", "own", "issuer", "suffix"),
    [
        ("opcua", ("historian.der", "historian.pem"), "issuer", "crl"),
        ("nodeopcua", ("certificate.pem", "private_key.pem"), "issuers", "crl"),
        ("asyncua", ("historian.der", "historian.pem"), "issuer", "der"),
    ],
)
def test_an_opcua_application_has_its_pki_directory(
    plant: Environment, target: str, own: tuple[str, str], issuer: str, suffix: str
) -> None:
    folder = _exported(plant, target, only="historian").folder / "historian"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        f"own/certs/{own[0]}",
        f"own/private/{own[1]}",
        "trusted/certs/plant-ca.der",
        f"trusted/crl/plant-ca.{suffix}",
        f"{issuer}/certs/root.der",
        f"{issuer}/crl/root.{suffix}",
    }


@pytest.mark.needs("openssl")
def test_openssl_validates_an_application_with_what_another_one_trusts(plant: Environment) -> None:
    revoke(plant.folder, ["robot-server"])
    folder = _exported(open_environment(plant.folder), "opcua").folder
    trusted, crls = folder / "joined.pem", folder / "joined.crl"
    press = folder / "press-server"
    der = sorted(press.glob("trusted/certs/*.der")) + sorted(press.glob("issuer/certs/*.der"))
    trusted.write_text("".join(run("openssl", "x509", "-inform", "DER", "-in", one) for one in der))
    lists = sorted(press.glob("trusted/crl/*.crl")) + sorted(press.glob("issuer/crl/*.crl"))
    crls.write_text("".join(run("openssl", "crl", "-inform", "DER", "-in", one) for one in lists))
    command = ("openssl", "verify", "-CAfile", str(trusted), "-CRLfile", str(crls), "-crl_check_all")
    run(*command, folder / "historian/own/certs/historian.der")
    done = subprocess.run(
        [*command, str(folder / "robot-server/own/certs/robot-server.der")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "certificate revoked" in done.stderr


def test_a_self_signed_application_is_trusted_by_the_others(tmp_path: Path) -> None:
    profile = {
        "name": "selfsigned",
        "defaults": {"key": "ec-p256"},
        "authorities": {"ca": {}},
        "certificates": {"alone": {"issuer": "self"}, "other": {"issuer": "ca"}},
    }
    folder = _exported(build(profile, tmp_path), "opcua").folder
    trusted = {path.name for path in (folder / "other/trusted/certs").iterdir()}
    assert trusted == {"alone.der", "ca.der"}
