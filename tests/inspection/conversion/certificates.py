"""Files as PKI leads receive them, made by openssl: one sensor's under a root and an issuing CA."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.tools import run

PASSPHRASE = "geheim ! ~"
_AUTHORITY = "basicConstraints=critical,CA:TRUE"
_OLD = ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1")
_CA_CONFIG = """\
[ca]
default_ca = issuing
[issuing]
database = index.txt
default_md = sha256
default_crl_days = 30
"""


@dataclass(frozen=True)
class Made:
    """A directory with sensor.crt, sensor.key, chain.pem, sensor.pfx and other files of ``make``."""

    folder: Path

    def __truediv__(self, name: str) -> Path:
        return self.folder / name


def make(folder: Path) -> Made:
    """The files; whatever ends in .pfx, .p12 and .enc.* is under PASSPHRASE, which is in the file pass."""
    made = Made(folder)
    (made / "pass").write_text(PASSPHRASE + "\n")
    (made / "wrong").write_text("wrong\n")
    _certify(made, "root", "EC", _AUTHORITY)
    _certify(made, "issuing", "EC", _AUTHORITY, issuer="root")
    _certify(made, "sensor", "RSA", issuer="issuing")
    _certify(made, "other", "EC", issuer="issuing")
    _certify(made, "alone", "EC")
    pem = {name: (made / f"{name}.crt").read_bytes() for name in ("root", "issuing", "sensor", "other")}
    (made / "chain.pem").write_bytes(pem["issuing"] + pem["root"])
    (made / "unordered.pem").write_bytes(pem["root"] + pem["sensor"] + pem["issuing"])
    (made / "two.pem").write_bytes(pem["sensor"] + pem["other"] + pem["issuing"])
    (made / "bundle.pem").write_bytes(
        (made / "sensor.key").read_bytes() + (made / "unordered.pem").read_bytes()
    )
    _containers(made)
    _keys(made)
    _crl(made)
    return made


def _certify(made: Made, name: str, kind: str, *extensions: str, issuer: str = "") -> None:
    key, crt = made / f"{name}.key", made / f"{name}.crt"
    option = "ec_paramgen_curve:P-256" if kind == "EC" else "rsa_keygen_bits:2048"
    run("openssl", "genpkey", "-quiet", "-algorithm", kind, "-pkeyopt", option, "-out", key)
    by = ("-CA", made / f"{issuer}.crt", "-CAkey", made / f"{issuer}.key") if issuer else ()
    added = [word for one in extensions or ("basicConstraints=CA:FALSE",) for word in ("-addext", one)]
    subject = ("-subj", f"/O=Contoso Inc./CN={name}.contoso.test")
    run("openssl", "req", "-x509", "-new", "-key", key, "-out", crt, "-days", "30", *subject, *added, *by)


def _containers(made: Made) -> None:
    secret = ("-passout", f"pass:{PASSPHRASE}")
    parts = ("-inkey", made / "sensor.key", "-in", made / "sensor.crt", "-certfile", made / "chain.pem")
    export = ("openssl", "pkcs12", "-export", *parts, "-name", "the sensor")
    run(*export, *secret, "-out", made / "sensor.p12")
    run(*export, *secret, *_OLD, "-out", made / "sensor.pfx")
    run(*export, "-passout", "pass:", "-out", made / "open.p12")
    run("openssl", "x509", "-in", made / "sensor.crt", "-outform", "DER", "-out", made / "sensor.cer")
    for source, name in (("unordered.pem", "all"), ("chain.pem", "chain")):
        bundle = ("openssl", "crl2pkcs7", "-nocrl", "-certfile", made / source)
        run(*bundle, "-out", made / f"{name}.p7b")
        run(*bundle, "-outform", "DER", "-out", made / f"{name}.der.p7b")


def _keys(made: Made) -> None:
    pkey = ("openssl", "pkey", "-in", made / "sensor.key")
    secret = ("-aes256", "-passout", f"pass:{PASSPHRASE}")
    run(*pkey, *secret, "-out", made / "sensor.enc.key")
    run(*pkey, "-traditional", *secret, "-out", made / "sensor.enc.traditional.key")
    run(*pkey, "-traditional", "-out", made / "sensor.traditional.key")
    run(*pkey, "-outform", "DER", "-out", made / "sensor.key.der")
    run("openssl", "genpkey", "-quiet", "-algorithm", "ED25519", "-out", made / "ed25519.key")
    subject = ("-subj", "/CN=sensor.contoso.test", "-out", made / "sensor.csr")
    run("openssl", "req", "-new", "-key", made / "sensor.key", *subject)


def _crl(made: Made) -> None:
    (made / "ca.cnf").write_text(_CA_CONFIG)
    (made / "index.txt").touch()
    by = ("-cert", "issuing.crt", "-keyfile", "issuing.key", "-out", "issuing.crl")
    run("openssl", "ca", "-config", "ca.cnf", "-gencrl", *by, cwd=made.folder)
