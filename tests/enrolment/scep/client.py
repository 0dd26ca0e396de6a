"""A SCEP client for tests: writes pkiMessages as a device does."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AttributeOID, NameOID

from pkigen.asn1 import der
from pkigen.enrolment.scep import cms
from pkigen.x509 import Certificate

VERISIGN = "2.16.840.1.113733.1.9."


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@dataclass
class Device:
    """A device with an RSA key and a self-signed certificate for its messages."""

    name: str
    key: rsa.RSAPrivateKey = field(default_factory=_key, repr=False)
    certificate: bytes = field(init=False)

    def __post_init__(self) -> None:
        now, name = datetime.now(UTC), self.subject
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(5)
        builder = builder.public_key(self.key.public_key()).not_valid_before(now)
        signed = builder.not_valid_after(now + timedelta(days=1)).sign(self.key, hashes.SHA256())
        self.certificate = signed.public_bytes(serialization.Encoding.DER)

    @property
    def subject(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])

    def request(self, challenge: str | None = "wonderful") -> bytes:
        """Return a certification request with a challenge password."""
        builder = x509.CertificateSigningRequestBuilder().subject_name(self.subject)
        if challenge is not None:
            builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge.encode())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def message(
        self,
        ca: bytes,
        content: bytes,
        kind: int = 19,
        *,
        cipher: cms.ContentCipher = cms.AES_256,
        digest: str = "sha256",
        signer: tuple[bytes, rsa.RSAPrivateKey] | None = None,
    ) -> bytes:
        """Return a pkiMessage that is encrypted to a certificate of the server."""
        certificate, key = signer or (self.certificate, self.key)
        attributes = {
            VERISIGN + "2": der.string(der.PRINTABLE_STRING, str(kind)),
            VERISIGN + "5": der.octet_string(b"0123456789abcdef"),
            VERISIGN + "7": der.string(der.PRINTABLE_STRING, f"transaction-{self.name}"),
        }
        enveloped = cms.encrypt(content, Certificate(ca), cipher)
        return cms.signed_message(enveloped, certificate, key, attributes, digest)

    def decrypted(self, enveloped: bytes, folder: Path, *options: str) -> list[x509.Certificate]:
        """Let openssl decrypt the content of a response; return the certificates in it."""
        (folder / "device.key").write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        certificate = x509.load_der_x509_certificate(self.certificate)
        (folder / "device.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "enveloped.der").write_bytes(enveloped)
        command = ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", folder / "enveloped.der"]
        command += ["-inkey", folder / "device.key", "-recip", folder / "device.crt", *options]
        # The default provider of OpenSSL decrypts Triple DES.
        done = subprocess.run(list(map(str, command)), capture_output=True, check=True)
        return _certificates(done.stdout)


def _certificates(data: bytes) -> list[x509.Certificate]:
    signed = der.children(der.children(der.children(data)[1])[0])
    (members,) = (one for one in signed if one[0] == 0xA0)
    return [x509.load_der_x509_certificate(one) for one in der.children(members)]
