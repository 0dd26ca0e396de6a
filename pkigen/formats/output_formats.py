"""The output formats of a profile's ``formats:`` key: one function per format.

To add a format, add one function with ``@output_format`` here. The profile language, its error messages, the
documentation and the build find it through ``OUTPUT_FORMATS``. A file that is not registered does not exist
for any of them, and ``render`` reports it.

The profile loader imports this module, so writers import what they need when they run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pkigen.keys.entropy import Entropy
from pkigen.keys.kinds import KeyKind
from pkigen.model import File, Issued

Writer = Callable[[Issued, Entropy], bytes]
"""Returns the contents of the file. Raises ValueError if the format cannot hold them."""

Unsupported = Callable[[KeyKind], str | None]
"""Returns why the format cannot hold a key of this kind, or None if it can."""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """A file that a build can write beside certificate, key and chain.

    ``file`` is the file's name, in which NAME stands for the entity's name. ``purpose`` is for people.
    A ``secret`` file gets mode 0600; it contains the private key.
    """

    name: str
    file: str
    purpose: str
    write: Writer
    secret: bool
    unsupported: Unsupported

    def render(self, issued: Issued, entropy: Entropy) -> File:
        """Write the file of one entity."""
        path = self.file.replace("NAME", issued.entity.name)
        return File(path, self.write(issued, entropy), secret=self.secret)


OUTPUT_FORMATS: dict[str, OutputFormat] = {}
"""Every format by its name in the profile, in the order of the documentation."""


def output_format(
    name: str, file: str, purpose: str, *, secret: bool = False, unsupported: Unsupported = lambda _: None
) -> Callable[[Writer], Writer]:
    """Register a function as the writer of a format (see ``OutputFormat``)."""

    def register(write: Writer) -> Writer:
        if name in OUTPUT_FORMATS:
            raise ValueError(f"two output formats are called '{name}'; rename one in {__name__}")
        OUTPUT_FORMATS[name] = OutputFormat(name, file, purpose, write, secret, unsupported)
        return write

    return register


def format_called(name: str) -> OutputFormat:
    """Return a registered format; the KeyError says where to register one."""
    try:
        return OUTPUT_FORMATS[name]
    except KeyError:
        raise KeyError(
            f"no output format is called '{name}': "
            f"add a function with @output_format('{name}', ...) to {__file__}"
        ) from None


def incompatible(kind: KeyKind, name: str) -> str | None:
    """Return why a key of a kind cannot be written in a format, or None if it can."""
    return format_called(name).unsupported(kind)


def _no_traditional_form(kind: KeyKind) -> str | None:
    if kind.family in ("rsa", "ec"):
        return None
    return f"keys of kind {kind.name} have no traditional format"


def _not_in_pkcs12(kind: KeyKind) -> str | None:
    unsupported = kind.family in ("ml-dsa", "ml-kem", "slh-dsa")
    return f"PKCS#12 cannot hold a key of kind {kind.name}" if unsupported else None


@output_format("fullchain", "fullchain.pem", "the certificate and its intermediates, for TLS servers")
def _fullchain(issued: Issued, _entropy: Entropy) -> bytes:
    from pkigen.formats import pem

    # Without the root: peers either have it or must not accept it from the server.
    return b"".join(map(pem.certificate, (issued.certificates[0], *issued.chain[:-1])))


@output_format(
    "bundle", "NAME.bundle.pem", "key, certificate and intermediates in one file, for HAProxy", secret=True
)
def _bundle(issued: Issued, entropy: Entropy) -> bytes:
    from pkigen.formats import private_keys

    key = private_keys.pkcs8(_key(issued), issued.entity.output.passphrase, entropy)
    return key + _fullchain(issued, entropy)


@output_format(
    "combined",
    "NAME.combined.pem",
    "certificate, key and all CA certificates in one file, for VMware vRealize Operations",
    secret=True,
)
def _combined(issued: Issued, entropy: Entropy) -> bytes:
    from pkigen.formats import pem, private_keys

    first, *others = dict.fromkeys((issued.certificates[0], *issued.chain))
    key = private_keys.pkcs8(_key(issued), issued.entity.output.passphrase, entropy)
    return pem.certificate(first) + key + b"".join(map(pem.certificate, others))


@output_format("der", "NAME.der", "the certificate in DER")
def _der(issued: Issued, _entropy: Entropy) -> bytes:
    return issued.certificates[0]


@output_format("p7b", "NAME.p7b", "the certificate and its chain as PKCS#7 in DER, for Windows and IIS")
def _p7b(issued: Issued, _entropy: Entropy) -> bytes:
    from pkigen.formats.pkcs7 import pkcs7_file

    return pkcs7_file(tuple(dict.fromkeys((issued.certificates[0], *issued.chain))))


@output_format(
    "key-der", "NAME.key.der", "the key as PKCS#8 in DER, encrypted if there is a passphrase", secret=True
)
def _key_der(issued: Issued, entropy: Entropy) -> bytes:
    from pkigen.formats import private_keys

    return private_keys.pkcs8_der(_key(issued), issued.entity.output.passphrase, entropy)


@output_format(
    "key-traditional",
    "NAME.traditional.key",
    "the key as PKCS#1 or SEC 1 in PEM",
    secret=True,
    unsupported=_no_traditional_form,
)
def _key_traditional(issued: Issued, entropy: Entropy) -> bytes:
    from pkigen.formats import private_keys

    return private_keys.traditional(_key(issued), issued.entity.output.passphrase, entropy)


@output_format(
    "pkcs12",
    "NAME.p12",
    "key, certificate and chain for Windows and Java (AES-256, SHA-256)",
    secret=True,
    unsupported=_not_in_pkcs12,
)
def _pkcs12(issued: Issued, _entropy: Entropy) -> bytes:
    from pkigen.formats import pkcs12

    return pkcs12.key_store(issued)


@output_format(
    "pkcs12-legacy",
    "NAME.legacy.p12",
    "the same for readers from before 2018 (3DES, SHA-1)",
    secret=True,
    unsupported=_not_in_pkcs12,
)
def _pkcs12_legacy(issued: Issued, _entropy: Entropy) -> bytes:
    from pkigen.formats import pkcs12

    return pkcs12.key_store(issued, protection=pkcs12.Protection.LEGACY)


@output_format("zip", "NAME.zip", "certificate, key and chain as files in a ZIP archive", secret=True)
def _zip(issued: Issued, entropy: Entropy) -> bytes:
    from pkigen.formats.archive import separate_files, zip_archive

    return zip_archive(separate_files(issued, entropy))


@output_format("tar", "NAME.tar", "certificate, key and chain as files in a tar archive", secret=True)
def _tar(issued: Issued, entropy: Entropy) -> bytes:
    from pkigen.formats.archive import separate_files, tar_archive

    return tar_archive(separate_files(issued, entropy))


@output_format("truststore", "truststore.p12", "the trust anchor as a Java trust store")
def _truststore(issued: Issued, _entropy: Entropy) -> bytes:
    from pkigen.formats import pkcs12

    anchor = (issued.chain or issued.certificates[:1])[-1]
    output = issued.entity.output
    return pkcs12.trust_store([anchor], output.alias, output.pkcs12_passphrase)


def _key(issued: Issued) -> bytes:
    assert issued.key is not None
    return issued.key
