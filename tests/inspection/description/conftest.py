"""Files that the openssl command line made: what it says of them is what must be shown."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen.inspection.artifacts import read_path
from pkigen.inspection.description import Description, Overview, describe
from tests import tools

NOW = datetime(2026, 6, 1, tzinfo=UTC)

CONFIG = """\
[req]
distinguished_name = dn
prompt = no
utf8 = yes
[dn]
C = DE
O = Prüfstelle
CN = {name}
[ca]
basicConstraints = critical, CA:TRUE, pathlen:1
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
nameConstraints = permitted;DNS:.test, excluded;IP:10.9.0.0/255.255.0.0
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth, clientAuth, 1.2.3.4
subjectAltName = DNS:console.test, IP:10.1.0.10, IP:2001:db8::1, email:a@b.test, URI:urn:x, RID:1.2.3
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid, issuer
crlDistributionPoints = URI:http://crl.test/a.crl, URI:http://crl.test/b.crl
authorityInfoAccess = OCSP;URI:http://ocsp.test, caIssuers;URI:http://ca.test/ca.crt
certificatePolicies = 2.23.140.1.2.2, @policy
policyConstraints = requireExplicitPolicy:3
inhibitAnyPolicy = 2
tlsfeature = status_request
nsComment = made by hand
1.2.3.4.5 = ASN1:UTF8String:unknown
[policy]
policyIdentifier = 1.3.5.8
CPS.1 = http://cps.test
userNotice.1 = @notice
[notice]
explicitText = Only a test
[authority]
database = index.txt
crlnumber = crlnumber
default_md = sha256
crl_extensions = crl
[crl]
authorityKeyIdentifier = keyid
"""
INDEX = """\
R\t300101000000Z\t260102030405Z,keyCompromise\t01AB\tunknown\t/CN=a
R\t300101000000Z\t260203040506Z,superseded\t02CD\tunknown\t/CN=b
R\t300101000000Z\t260304050607Z\t03EF\tunknown\t/CN=c
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with ca.crt, ca.key, leaf.crt, leaf.key, leaf.csr, ca.crl and other forms of them."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("ca", "leaf"):
        (folder / f"{name}.cnf").write_text(CONFIG.format(name=name), "utf-8")
    (folder / "index.txt").write_text(INDEX)
    (folder / "crlnumber").write_text("1F40\n")
    (folder / "pw").write_text("geheim\nnot this\n")
    for line in COMMANDS.splitlines():
        tools.run("openssl", *line.split(), cwd=folder)
    return folder


COMMANDS = """\
genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key
req -config ca.cnf -x509 -key ca.key -extensions ca -days 3650 -out ca.crt
genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 -out leaf.key
req -config leaf.cnf -new -key leaf.key -reqexts ca -out leaf.csr
x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -set_serial 0x80ABCDEF01 -days 90 -extfile leaf.cnf \
-extensions leaf -out leaf.crt
x509 -in leaf.crt -outform DER -out leaf.der
pkey -in leaf.key -traditional -out pkcs1.key
pkey -in ca.key -traditional -out sec1.key
pkey -in leaf.key -aes256 -passout pass:geheim -out sealed.key
pkey -in leaf.key -pubout -out leaf.pub
ca -config ca.cnf -name authority -gencrl -keyfile ca.key -cert ca.crt -crldays 7 -out ca.crl
pkcs12 -export -inkey leaf.key -in leaf.crt -certfile ca.crt \
-name the-console -passout pass:geheim -out leaf.p12
pkcs12 -in leaf.p12 -passin pass:geheim -noenc -out bags.pem
crl2pkcs7 -nocrl -certfile ca.crt -certfile leaf.crt -out both.p7b
"""


def described(*paths: Path, at: datetime = NOW, passphrases: tuple[bytes, ...] = ()) -> Overview:
    """Return the description of the content of some files."""
    artifacts = [artifact for path in paths for artifact in read_path(path, passphrases)]
    overview = describe(artifacts, at, every_entry=True)
    for description in overview.descriptions:
        if description.data.get("entries") is not None:
            description.data["entries"] = list(description.data["entries"])
    return overview


def one(path: Path, **how: Any) -> Description:
    """Return the description of the only artifact in a file."""
    (description,) = described(path, **how).descriptions
    return description


def values(description: Description, identity: str) -> tuple[str, ...]:
    """The lines of a field."""
    return next(field.values for field in description.fields if field.id == identity)
