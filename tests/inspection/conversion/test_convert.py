"""What openssl made becomes what appliances take, and back; openssl and keytool are the judges."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pkigen.errors import InputError, Refused
from pkigen.inspection.artifacts import Kind, read_path
from pkigen.inspection.conversion import (
    Conversion,
    ConversionOptions,
    Target,
    convert,
)
from tests.inspection.conversion.certificates import PASSPHRASE, Made
from tests.openssl import Judge
from tests.tools import run

pytestmark = pytest.mark.needs("openssl")
SECRET = PASSPHRASE.encode()
Convert = Callable[..., Conversion]


@pytest.fixture
def conv(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Convert:
    """Convert files of the session's directory into the current directory, which is empty."""
    monkeypatch.chdir(tmp_path)

    def call(*sources: str | Path, to: str = "appliance", **options: object) -> Conversion:
        conversion_options = ConversionOptions(**{"passphrases": (SECRET,), **options, "to": Target(to)})  # type: ignore[arg-type]
        return convert(
            [made / source if isinstance(source, str) else source for source in sources], conversion_options
        )

    return call


def _paths(conversion: Conversion) -> list[str]:
    return [str(file.path) for file in conversion.written]


def _public(key: Path, passphrase: str = "") -> str:
    return run("openssl", "pkey", "-pubout", "-in", key, "-passin", f"pass:{passphrase}")


_SENSOR_WITH_KEY = [
    ("sensor.pfx",),
    ("sensor.p12",),
    ("open.p12",),
    ("bundle.pem",),
    ("sensor.enc.key", "all.p7b"),
    ("all.der.p7b", "sensor.enc.traditional.key"),
    ("sensor.cer", "sensor.key.der", "chain.der.p7b"),
    ("chain.p7b", "sensor.traditional.key", "sensor.crt", "two.pem"),
    ("root.crt", "sensor.key", "issuing.crt", "sensor.cer", "sensor.p12"),
]


@pytest.mark.parametrize("sources", _SENSOR_WITH_KEY, ids=" ".join)
def test_any_format_of_a_certificate_becomes_the_three_files_of_an_appliance(
    conv: Convert, made: Made, tmp_path: Path, sources: tuple[str, ...]
) -> None:
    assert _paths(conv(*sources, out="appliance")) == ["appliance.crt", "appliance.key", "appliance.pem"]
    assert Path("appliance.crt").read_bytes() == (made / "sensor.crt").read_bytes()
    assert Path("appliance.pem").read_bytes() == (made / "chain.pem").read_bytes()
    verify = ("openssl", "verify", "-CAfile", made / "root.crt", "-untrusted", "appliance.pem")
    assert run(*verify, "appliance.crt") == "appliance.crt: OK\n"
    files = {"key": "appliance.key", "certificate": "appliance.crt"}
    assert Judge(tmp_path).key_matches({"files": files})
    assert Path("appliance.key").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert stat.S_IMODE(Path("appliance.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("legacy", [False, True])
def test_three_files_become_a_key_store_that_openssl_opens(conv: Convert, made: Made, legacy: bool) -> None:
    sources = ("sensor.crt", "sensor.enc.key", "chain.pem")
    result = conv(*sources, to="p12", new_passphrase=b"new", alias="Sensor 1", legacy=legacy)
    assert _paths(result) == ["sensor.p12"]
    assert not result.notes
    assert stat.S_IMODE(Path("sensor.p12").stat().st_mode) == 0o600
    out = run("openssl", "pkcs12", "-in", "sensor.p12", "-passin", "pass:new", "-nodes", "-info")
    assert "friendlyName: Sensor 1" in out
    assert out.count("-----BEGIN CERTIFICATE-----") == 3
    back = conv(Path("sensor.p12"), passphrases=(b"new",), out="back")
    assert _paths(back) == ["back.crt", "back.key", "back.pem"]
    assert Path("back.pem").read_bytes() == (made / "chain.pem").read_bytes()
    assert _public(Path("back.key")) == _public(made / "sensor.key")


@pytest.mark.needs("keytool")
def test_java_reads_the_key_under_its_alias_with_its_chain(conv: Convert) -> None:
    conv("bundle.pem", to="p12", new_passphrase=b"changeit", alias="console", out="java.p12")
    listed = run(
        *("keytool", "-J-XX:TieredStopAtLevel=1", "-J-Duser.language=en", "-list", "-v"),
        *("-keystore", "java.p12", "-storepass", "changeit"),
    )
    assert "Alias name: console" in listed
    assert "Entry type: PrivateKeyEntry" in listed
    assert "Certificate chain length: 3" in listed


def test_a_key_store_keeps_the_alias_of_its_source(conv: Convert) -> None:
    conv("sensor.p12", to="p12", out="again.p12", new_passphrase=b"x")
    conv("bundle.pem", to="p12", out="named.p12", new_passphrase=b"x")
    names = [
        [one.friendly_name for one in read_path(Path(name), [b"x"]) if one.certificate and one.friendly_name]
        for name in ("again.p12", "named.p12")
    ]
    assert names == [["the sensor"], ["bundle"]]


def test_a_key_store_without_a_passphrase_opens_and_the_user_is_reported(conv: Convert) -> None:
    result = conv("bundle.pem", to="p12")
    assert "Java cannot read it" in result.notes[0]
    run("openssl", "pkcs12", "-in", "bundle.p12", "-passin", "pass:", "-nodes")


@pytest.mark.parametrize("key_format", ["pkcs8", "traditional"])
@pytest.mark.parametrize("new", [None, b"another"])
@pytest.mark.parametrize("source", ["sensor.pfx", "sensor.enc.key", "sensor.traditional.key"])
def test_a_key_changes_its_format_and_its_passphrase(
    conv: Convert, made: Made, source: str, new: bytes | None, key_format: str
) -> None:
    result = conv(source, to="key", out="a.key", new_passphrase=new, key_format=key_format)
    text = Path("a.key").read_text()
    assert ("RSA" in text.splitlines()[0]) == (key_format == "traditional")
    assert ("ENCRYPTED" in text) == (new is not None)
    assert _public(Path("a.key"), (new or b"").decode()) == _public(made / "sensor.key")
    lost = new is None and "traditional.key" not in source
    assert bool(result.notes) == lost


@pytest.mark.parametrize("source", ["sensor.cer", "sensor.crt", "all.p7b", "all.der.p7b", "unordered.pem"])
def test_a_certificate_is_converted_to_pem_and_der(conv: Convert, made: Made, source: str) -> None:
    conv(source, to="crt", out="a")
    conv(source, to="der", out="b")
    assert Path("a").read_bytes() == (made / "sensor.crt").read_bytes()
    assert Path("b").read_bytes() == (made / "sensor.cer").read_bytes()


@pytest.mark.parametrize("source", ["chain.p7b", "chain.der.p7b", "all.p7b", "bundle.pem", "sensor.pfx"])
def test_a_chain_begins_with_the_issuing_ca(conv: Convert, made: Made, source: str) -> None:
    conv(source, to="pem", out="a")
    assert Path("a").read_bytes() == (made / "chain.pem").read_bytes()


def test_a_single_authority_is_a_chain_of_one(conv: Convert, made: Made) -> None:
    conv("root.crt", to="pem", out="a")
    assert Path("a").read_bytes() == (made / "root.crt").read_bytes()


def test_several_roots_stay_together_in_a_chain_file(conv: Convert, made: Made) -> None:
    run(
        "openssl", "req", "-x509", "-new", "-key", made / "other.key", "-subj", "/CN=second", "-out", "second"
    )
    conv("chain.pem", Path("second"), to="pem", out="a")
    assert Path("a").read_bytes() == (made / "chain.pem").read_bytes() + Path("second").read_bytes()


def test_a_self_signed_certificate_is_its_own_chain(conv: Convert, made: Made) -> None:
    assert _paths(conv("alone.crt", "alone.key")) == ["alone.crt", "alone.key", "alone.pem"]
    assert Path("alone.pem").read_bytes() == (made / "alone.crt").read_bytes()


def test_without_authorities_an_appliance_gets_two_files_and_the_user_a_note(conv: Convert) -> None:
    result = conv("sensor.crt", "sensor.key")
    assert _paths(result) == ["sensor.crt", "sensor.key"]
    assert "there is no chain: the sources lack the issuer of" in result.notes[0]


def test_a_chain_without_its_root_and_unrelated_certificates_are_reported(conv: Convert, made: Made) -> None:
    result = conv("sensor.crt", "sensor.key", "issuing.crt", "other.crt")
    assert Path("sensor.pem").read_bytes() == (made / "issuing.crt").read_bytes()
    sensor = f"O=Contoso Inc., CN=sensor.contoso.test (serial {_serial(made / 'sensor.crt')})"
    heads = [note.partition(":")[0] for note in result.notes]
    assert heads == ["the chain has no root", f"left out because not in the chain of {sensor}"]


def _serial(path: Path) -> str:
    return (
        run("openssl", "x509", "-noout", "-serial", "-in", path).strip().partition("=")[2].lower().lstrip("0")
    )


def test_several_crls_become_one_pem_file(conv: Convert, made: Made) -> None:
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Other")])
    builder = x509.CertificateRevocationListBuilder(
        issuer, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    )
    crl = builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    Path("other.crl").write_bytes(crl.public_bytes(Encoding.DER))
    conv("issuing.crl", Path("other.crl"), to="pem", out="crls.pem")
    assert Path("crls.pem").read_bytes() == (made / "issuing.crl").read_bytes() + crl.public_bytes(
        Encoding.PEM
    )


def test_keys_requests_and_crls_round_trip_through_der(conv: Convert, made: Made) -> None:
    conv("sensor.key", to="der", out="key.der")
    conv("sensor.key", to="der", out="rsa.der", key_format="traditional")
    assert run("openssl", "pkey", "-inform", "DER", "-in", "key.der", "-pubout") == _public(
        made / "sensor.key"
    )
    assert [one.key and one.key.format for one in read_path(Path("rsa.der"))] == ["PKCS#1"]
    for name, kind in (("issuing.crl", Kind.CRL), ("sensor.csr", Kind.REQUEST)):
        conv(name, to="der", out=f"{name}.der")
        conv(Path(f"{name}.der"), to="pem", out=f"{name}.pem")
        assert [one.kind for one in read_path(Path(f"{name}.der"))] == [kind]
        assert Path(f"{name}.pem").read_bytes() == (made / name).read_bytes()


@pytest.mark.parametrize("to", [target.value for target in Target])
def test_a_key_of_another_certificate_is_rejected_and_nothing_is_written(conv: Convert, to: str) -> None:
    with pytest.raises(Refused, match=r"other\.key: the key does not belong to the certificate: O=Contoso"):
        conv("sensor.crt", "other.key", to=to)
    assert not list(Path().iterdir())


def test_several_end_entities_are_listed_unless_a_key_selects_one(conv: Convert, made: Made) -> None:
    with pytest.raises(InputError, match=r"CN=sensor\.contoso\.test .*; O=Contoso Inc\., CN=other\.contoso"):
        conv("two.pem", to="crt")
    conv("two.pem", "other.key", to="crt", out="a")
    assert Path("a").read_bytes() == (made / "other.crt").read_bytes()


def test_a_key_that_cannot_be_decrypted_does_not_prevent_the_conversion_of_certificates(
    conv: Convert,
) -> None:
    result = conv("sensor.enc.key", "all.p7b", to="crt", passphrases=(), out="a")
    assert "no passphrase was given; the key was not compared" in result.notes[0]


def test_objects_that_no_output_can_contain_are_skipped_with_a_note(conv: Convert, made: Made) -> None:
    Path("odd.pem").write_bytes(
        b"-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n"
        + (made / "sensor.crt").read_bytes()
    )
    result = conv(Path("odd.pem"), to="crt")
    assert "DH PARAMETERS" in result.notes[0]


@pytest.mark.parametrize("to", ["appliance", "p12", "p7b"])
def test_skipped_crls_and_requests_are_listed(conv: Convert, to: str) -> None:
    result = conv("bundle.pem", "issuing.crl", "sensor.csr", to=to, new_passphrase=None)
    left_out = [note for note in result.notes if note.startswith("left out: ")]
    crl = [] if to == "p7b" else ["issuing.crl; --to p7b keeps it"]
    assert [note.rpartition("/")[2] for note in left_out] == [*crl, "sensor.csr"]


@pytest.mark.parametrize("to", ["p12", "p7b", "crt"])
def test_output_of_standard_input_has_a_name_that_is_no_option(
    conv: Convert, made: Made, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    bundle, key = ((made / name).read_bytes() for name in ("bundle.pem", "sensor.key"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(bundle)))
    assert _paths(conv(Path("-"), to=to)) == [f"stdin.{to}"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(key)))
    with pytest.raises(InputError, match="there is no certificate in standard input"):
        conv(Path("-"), to="crt")


@pytest.mark.needs("keytool")
def test_a_secret_key_in_a_key_store_is_omitted_with_a_note(conv: Convert, made: Made) -> None:
    secret, store = "changeit", Path("with-secret.p12")
    conv("bundle.pem", to="p12", out=store.name, new_passphrase=secret.encode())
    run(
        *("keytool", "-J-XX:TieredStopAtLevel=1", "-genseckey", "-keystore", store, "-storepass", secret),
        *("-alias", "wrapping", "-keyalg", "AES", "-keysize", "128"),
    )
    result = conv(store, to="crt", out="a", passphrases=(secret.encode(),))
    assert Path("a").read_bytes() == (made / "sensor.crt").read_bytes()
    assert ["a secret key or password" in note for note in result.notes] == [True]


_WRONG = [
    (("sensor.pfx",), {"passphrases": ()}, r"sensor\.pfx: it is encrypted, and no passphrase .*-file FILE"),
    (("sensor.p12",), {"passphrases": (b"x",)}, r"sensor\.p12: the passphrase is wrong.*--passphrase-file"),
    (("sensor.enc.key",), {"to": "key", "passphrases": ()}, "encrypted, and no passphrase was given"),
    (("sensor.enc.key",), {"to": "key", "passphrases": (b"x",)}, "passphrase is wrong"),
    (("sensor.enc.traditional.key",), {"to": "key", "passphrases": (b"x",)}, "passphrase is wrong"),
    (("sensor.crt",), {}, "there is no private key in .*; add its file"),
    (("sensor.crt",), {"to": "key"}, "there is no private key in .*; add its file"),
    (("sensor.crt",), {"to": "p12"}, "there is no private key in .*; add its file"),
    (("sensor.key",), {"to": "p12"}, "there is no certificate in .*; add its file"),
    (("issuing.crl",), {"to": "crt"}, "there is no certificate in .*; a CRL becomes --to pem or --to der"),
    (("issuing.crl", "sensor.csr"), {"to": "der"}, "ambiguous input; specify one of CRL in "),
    (("sensor.crt",), {"to": "pem"}, "there is no CA certificate above .*, or use --to crt"),
    (("sensor.key", "other.key"), {"to": "key"}, r"several private keys; specify one of .*sensor\.key, "),
    (("ed25519.key",), {"to": "key", "key_format": "traditional"}, "ed25519 have no traditional format"),
    (
        ("sensor.key",),
        {"to": "der", "key_format": "traditional", "new_passphrase": b"x"},
        "traditional key in",
    ),
    (("sensor.crt",), {"to": "der", "new_passphrase": b"x"}, "--to der, which writes the certificate"),
    (("sensor.crt",), {"to": "crt", "alias": "x"}, "--alias cannot be combined with --to crt"),
    (
        ("sensor.crt",),
        {"to": "crt", "key_format": "traditional"},
        "--key-format cannot be combined with --to crt",
    ),
    (("bundle.pem",), {"to": "p12", "new_passphrase": b"\xff"}, "PKCS#12 cannot be written: .* UTF-8"),
    (("bundle.pem",), {"to": "p12", "new_passphrase": b"x", "alias": "\udcff"}, "the alias .* UTF-8"),
    ((), {}, "nothing to convert"),
]


@pytest.mark.parametrize(("sources", "options", "words"), _WRONG, ids=lambda value: str(value)[:40])
def test_invalid_input_is_reported_in_one_line_and_nothing_is_written(
    conv: Convert, sources: tuple[str, ...], options: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        conv(*sources, **options)
    assert len(str(caught.value).splitlines()) == 1
    assert PASSPHRASE not in str(caught.value)
    assert not list(Path().iterdir())


def test_a_key_kind_that_pkcs12_cannot_contain_is_reported(conv: Convert) -> None:
    from pkigen.formats import pem
    from pkigen.keys import to_pkcs8
    from pkigen.keys.kinds import parse_kind
    from pkigen.keys.sources import FreshKeys
    from tests.inspection.conversion.test_selection import SENSOR, Authority

    owner = Authority("quantum")
    key = FreshKeys().generate(parse_kind("ml-dsa-44"), "x")
    owner.key = key  # type: ignore[assignment]
    Path("a.crt").write_bytes(SENSOR.certify(owner, ca=False, identified=False).der)
    Path("a.key").write_bytes(pem.encode("PRIVATE KEY", to_pkcs8(key)))
    with pytest.raises(InputError, match="PKCS#12 cannot hold a key of kind ml-dsa-44"):
        conv(Path("a.crt"), Path("a.key"), to="p12")


def test_damage_in_all_files_is_reported_at_once_with_its_place(conv: Convert, made: Made) -> None:
    Path("cut.p12").write_bytes((made / "sensor.p12").read_bytes()[:-100])
    Path("empty.crt").touch()
    Path("text.txt").write_text("hello")
    Path("chain.pem").write_bytes((made / "chain.pem").read_bytes()[:-40])
    with pytest.raises(InputError) as caught:
        conv(Path("cut.p12"), Path("empty.crt"), Path("text.txt"), Path("chain.pem"), "sensor.key")
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("cut.p12: the file is truncated")
    assert lines[1:3] == [
        "empty.crt: the file is empty",
        "text.txt: the format is unknown: it is neither PEM nor DER",
    ]
    assert lines[3].startswith("chain.pem (number 2): ")
    assert len(lines) == 4


def test_a_key_with_inconsistent_numbers_is_rejected(conv: Convert, made: Made) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    sound = load_pem_private_key((made / "sensor.key").read_bytes(), None)
    assert isinstance(sound, rsa.RSAPrivateKey)
    numbers = sound.private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        *(numbers.p, numbers.q, numbers.d, numbers.dmp1 + 2, numbers.dmq1, numbers.iqmp),
        numbers.public_numbers,
    ).private_key(unsafe_skip_rsa_key_validation=True)
    data = wrong.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    Path("wrong.key").write_bytes(data)
    with pytest.raises(Refused, match=r"wrong\.key: the key is damaged: "):
        conv(Path("wrong.key"), to="key")
