"""Java's and Windows' stores, as keytool and openssl read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen import BuildOptions, build
from pkigen.asn1 import der
from pkigen.environment.environment import Environment
from pkigen.errors import InputError
from pkigen.export import TARGETS, ExportOptions, export
from pkigen.formats.keytool import QUICK_START
from tests.export.conftest import PASSPHRASE, Export
from tests.tools import run

_USUAL = "changeit"
_PBE_3DES = der.oid("1.2.840.113549.1.12.1.3")
_PBES2 = der.oid("1.2.840.113549.1.5.13")
GOLDEN = Path(__file__).parent / "golden" / "import.ps1"


def _listed(store: Path, passphrase: str = _USUAL) -> str:
    quick = (*QUICK_START, "-J-Duser.language=en")
    return run("keytool", *quick, "-list", "-v", "-keystore", store, "-storepass", passphrase)


@pytest.mark.needs("keytool")
def test_keytool_lists_each_key_with_its_path(exported: Export) -> None:
    done = exported("java", passphrases=(PASSPHRASE,))
    for name in ("sensor", "locked", "sensor.expired", "sensor.sig-md5"):
        output = _listed(done.folder / f"private/{name}.p12")
        assert f"Alias name: {name}\n" in output
        assert "Entry type: PrivateKeyEntry\nCertificate chain length: 2\n" in output


@pytest.mark.needs("keytool")
def test_keytool_lists_the_trust_anchors(exported: Export) -> None:
    output = _listed(exported("java").folder / "truststore.p12")
    assert output.count("Entry type: trustedCertEntry") == 1
    assert "contains 1 entry" in output


@pytest.mark.needs("keytool")
def test_stores_have_the_requested_passphrase(exported: Export) -> None:
    done = exported("java", new_passphrase=b'a "word" of mine', only="sensor")
    assert "Alias name: sensor\n" in _listed(done.folder / "private/sensor.p12", 'a "word" of mine')
    assert "trustedCertEntry" in _listed(done.folder / "truststore.p12", 'a "word" of mine')
    options = (done.folder / "private/client.args").read_text()
    assert '"-Djavax.net.ssl.trustStorePassword=a \\"word\\" of mine"' in options


@pytest.mark.needs("keytool")
def test_the_key_stores_of_kafka_brokers_have_the_chain_and_one_trust_anchor(tmp_path: Path) -> None:
    built = build("kafka-broker", tmp_path, BuildOptions(keys="pool"))
    folder = export(built, TARGETS["java"], ExportOptions(only="broker-1")).folder
    stores = (folder / "private/broker-1.p12", built["broker-1"].file("p12"))
    for output in map(_listed, stores):
        assert output.count("Entry type: PrivateKeyEntry") == 1
        assert "DNSName: broker-1.kafka.example" in output
        assert {"serverAuth", "clientAuth"} <= set(output.split())
    assert "Certificate chain length: 2\n" in _listed(stores[0])
    trusted = _listed(folder / "truststore.p12")
    assert trusted.count("Entry type: trustedCertEntry") == 1
    assert "Owner: CN=Kafka Test Root CA" in trusted


@pytest.mark.needs("javac")
def test_java_accepts_the_options(exported: Export) -> None:
    folder = exported("java").folder
    source = folder / "Show.java"
    source.write_text(
        "import java.security.*; import javax.net.ssl.*; public class Show {"
        " public static void main(String[] a) throws Exception {"
        " TrustManagerFactory f = TrustManagerFactory.getInstance("
        "TrustManagerFactory.getDefaultAlgorithm()); f.init((KeyStore) null);"
        " System.out.println(((X509TrustManager) f.getTrustManagers()[0]).getAcceptedIssuers().length); } }"
    )
    assert run("java", "@private/client.args", "Show.java", cwd=folder).strip() == "1"


@pytest.mark.needs("openssl")
def test_a_pfx_has_the_key_and_the_path(environment: Environment, exported: Export, tmp_path: Path) -> None:
    folder = exported("windows").folder
    opened = ("-passin", f"file:{folder / 'private/passphrase.txt'}", "-nodes")
    output = run("openssl", "pkcs12", "-in", folder / "private/sensor.pfx", *opened)
    assert output.count("BEGIN CERTIFICATE") == 2
    key = tmp_path / "key.pem"
    key.write_text(output)
    public = run("openssl", "pkey", "-in", key, "-pubout")
    assert public == run("openssl", "pkey", "-in", environment["sensor"].key, "-pubout")
    trusted = run("openssl", "x509", "-in", folder / "trust/1.cer", "-inform", "DER")
    assert trusted.strip() in environment.trust.read_text()


@pytest.mark.needs("openssl")
def test_a_pfx_for_server_2016_is_encrypted_without_aes(exported: Export) -> None:
    folder = exported("windows").folder
    secret = f"file:{folder / 'private/passphrase.txt'}"
    path = folder / "private/server-2016/sensor.pfx"
    output = run("openssl", "pkcs12", "-in", path, "-passin", secret, "-legacy", "-nodes")
    assert output.count("BEGIN CERTIFICATE") == 2
    assert _PBE_3DES in path.read_bytes()
    assert _PBES2 not in path.read_bytes()
    assert _PBES2 in (folder / "private/sensor.pfx").read_bytes()


def test_the_powershell_script_is_the_reviewed_one(exported: Export) -> None:
    """PowerShell cannot run here, so that a change must be reviewed and copied to golden/ by hand."""
    output = (exported("windows", only="sensor.[ep]*").folder / "import.ps1").read_text()
    assert output == GOLDEN.read_text()


def test_cases_that_no_store_can_contain_are_omitted(exported: Export) -> None:
    left_out = exported("java").left_out
    assert {"sensor.key-mismatch", "sensor.key-encrypted", "locked"} <= left_out.keys()
    assert left_out["sensor.key-mismatch"] == "its key does not belong to its certificate"


@pytest.mark.parametrize("target", ["java", "windows"])
@pytest.mark.parametrize("wrong", [b"\xff\xfe", b"a\tb"])
def test_a_passphrase_that_no_file_can_contain_is_reported(
    exported: Export, target: str, wrong: bytes
) -> None:
    with pytest.raises(
        InputError,
        match=r"the new passphrase (is not valid UTF-8|contains control characters); choose another one",
    ):
        exported(target, new_passphrase=wrong)
