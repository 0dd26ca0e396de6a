"""Real clients accept the output: GnuTLS and Java validate paths, curl connects."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pkigen import Environment, build
from tests.environment.profiles import Document

_PROFILE: Document = {
    "name": "clients",
    "authorities": {
        "root": {"key": "rsa-3072", "subject": {"CN": "Clients Root"}},
        "policy": {"issuer": "root", "key": "ec-p384", "subject": {"CN": "Clients Policy CA"}},
        "issuing": {
            "issuer": "policy",
            "path_length": "0",
            "subject": {"CN": "Clients Issuing CA"},
            "name_constraints": {"permitted": ["dns:test", "ip:127.0.0.0/8"]},
        },
    },
    "certificates": {
        "server": {
            "issuer": "issuing",
            "subject": {"CN": "server.test"},
            "san": ["dns:server.test", "ip:127.0.0.1"],
            "formats": ["fullchain", "truststore"],
        },
        "gone": {"like": "server", "subject": {"CN": "gone.test"}, "revoked": "keyCompromise"},
    },
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(_PROFILE, tmp_path_factory.mktemp("clients"))


def _crls(environment: Environment) -> str:
    crls = sorted(environment.folder.glob("authorities/*/*.crl"))
    path = environment.folder / ".pkigen" / "all-crls.pem"
    path.write_bytes(b"".join(crl.read_bytes() for crl in crls))
    return str(path)


@pytest.mark.needs("certtool")
@pytest.mark.parametrize(("name", "accepted"), [("server", True), ("gone", False)])
def test_gnutls_agrees_with_the_manifest(environment: Environment, name: str, accepted: bool) -> None:
    case = environment[name]
    command = ["certtool", "--verify", "--load-ca-certificate", str(environment.trust)]
    command += ["--verify-hostname", "server.test", "--verify-purpose", "1.3.6.1.5.5.7.3.1"]
    command += ["--load-crl", _crls(environment), "--infile", str(case.file("fullchain.pem"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is accepted is case.accepted, done.stdout


@pytest.mark.needs("openssl", "curl")
def test_curl_connects_to_a_server_that_uses_the_files(environment: Environment) -> None:
    case = environment["server"]
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-naccept", "1"]
    command += ["-cert", str(case.certificate), "-key", str(case.key), "-cert_chain", str(case.chain)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        announced = next(line for line in server.stdout if line.startswith("ACCEPT"))
        port = announced.strip().rpartition(":")[2]
        fetch = ["curl", "--silent", "--show-error", "--max-time", "20", "--cacert", str(environment.trust)]
        fetch += ["--crlfile", _crls(environment), "--noproxy", "*"]
        fetch += ["--resolve", f"server.test:{port}:127.0.0.1", f"https://server.test:{port}/"]
        done = subprocess.run(fetch, capture_output=True, text=True, check=False)
        server.terminate()
    assert done.returncode == 0, done.stderr
    assert "s_server" in done.stdout


_JAVA = """
import java.io.*;
import java.security.*;
import java.security.cert.*;
import java.util.*;
public class Path {
  public static void main(String[] a) throws Exception {
    CertificateFactory f = CertificateFactory.getInstance("X.509");
    KeyStore trust = KeyStore.getInstance("PKCS12");
    trust.load(new FileInputStream(a[0]), "changeit".toCharArray());
    List<X509CRL> crls = new ArrayList<>();
    for (CRL c : f.generateCRLs(new FileInputStream(a[1]))) crls.add((X509CRL) c);
    PKIXParameters p = new PKIXParameters(trust);
    p.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(crls)));
    for (int i = 2; i < a.length; i++) {
      CertPath path = f.generateCertPath(new ArrayList<>(f.generateCertificates(new FileInputStream(a[i]))));
      try { CertPathValidator.getInstance("PKIX").validate(path, p); System.out.println("accepted"); }
      catch (CertPathValidatorException e) { System.out.println("refused " + e.getReason()); }
    }
  }
}
"""


@pytest.mark.needs("javac")
def test_java_agrees_with_the_manifest(environment: Environment, tmp_path: Path) -> None:
    source = tmp_path / "Path.java"
    source.write_text(_JAVA)
    server, gone = environment["server"], environment["gone"]
    trust = str(server.file("truststore.p12"))
    chains = [str(case.file("fullchain.pem")) for case in (server, gone)]
    java = ["java", "-Xshare:auto", str(source), trust, _crls(environment), *chains]
    done = subprocess.run(java, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["accepted", "refused REVOKED"]
