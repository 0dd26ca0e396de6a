"""The fields of authorities and certificates: one resolved specification each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from pkigen.asn1 import oids
from pkigen.clock import Span, parse_moment
from pkigen.documents.fields import (
    Omit,
    OrNone,
    Parsed,
    Schema,
    Value,
)
from pkigen.documents.set_reference import SetReferenceField
from pkigen.faults import FaultRequest, parse_faults
from pkigen.formats.output_formats import OUTPUT_FORMATS
from pkigen.model import STANDARD_FILES, GivenKey
from pkigen.profile.crl_fields import REASONS, AdditionalCrlSpec, CrlSpec, SerialNumber, one_of
from pkigen.profile.extension_fields import (
    AccessLocations,
    BasicConstraints,
    DistributionPoints,
    ExtendedKeyUsage,
    GeneralNames,
    KeyUsage,
    NameConstraints,
    RawExtension,
)
from pkigen.profile.file_fields import (
    KeyField,
    KeyFromFile,
    KeyKindField,
    Passphrase,
    ReadablePath,
    RequestField,
)
from pkigen.profile.name_fields import DistinguishedName, GeneralName, name_of_host
from pkigen.profile.policy_fields import InhibitAnyPolicy, Policies, PolicyConstraints, PolicyMappings
from pkigen.profile.time_fields import Instant, Length, ValidityPeriod
from pkigen.profile.vendor_fields import (
    CertificateTemplate,
    ModbusRole,
    SecurityIdentifier,
    SignedTimestamps,
    TemplateName,
)

SELF = "self"
_DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_MOST_FAULTS = 8
_LONGEST_IDENTIFIER = 64


class SignatureSpec(Value):
    """Signature algorithm of the issuer: ``sha256``, ``pss-sha384``, or {digest: sha1, pss: true}."""

    digest: Annotated[str, one_of("digest", _DIGESTS)] | None = None
    pss: bool = False

    _short: ClassVar[Schema | None] = {
        "type": "string",
        "description": "sha256, pss-sha384 ...",
    }

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        prefix, _, digest = value.rpartition("-")
        if prefix not in ("", "pss") or digest not in _DIGESTS:
            raise ValueError(f"'{value}' is neither a digest ({', '.join(_DIGESTS)}) nor pss-DIGEST")
        return {"digest": digest, "pss": bool(prefix)}


class Pkcs12Spec(Value):
    """Options of the PKCS#12 formats."""

    alias: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    passphrase: Passphrase | None = Field(default=None, repr=False)


class RevokedSpec(Value):
    """A revocation: the RFC 5280 name of the reason code, and the time."""

    reason: Annotated[str, one_of("reason", REASONS)] = "unspecified"
    at: Instant = parse_moment("-1h")
    invalid_since: Instant | None = None

    _short: ClassVar[Schema | None] = {"enum": list(REASONS)}

    @model_validator(mode="before")
    @classmethod
    def _from_reason(cls, value: Any) -> Any:
        return {"reason": value} if isinstance(value, str) else value

    @property
    def text(self) -> str:
        """The times as written."""
        return " ".join(
            moment.text if isinstance(moment, Span) else moment.isoformat()
            for moment in (self.at, self.invalid_since)
            if moment is not None
        )


class ImportedCASpec(Value):
    """The files of an imported authority, relative to the profile."""

    certificate: ReadablePath
    key: ReadablePath | None = None
    chain: ReadablePath | None = None
    passphrase: Passphrase | None = Field(default=None, repr=False)

    @property
    def lacks_key(self) -> bool:
        """Whether there is certainly no private key: no key file, and a certificate file without one."""
        if self.key is not None or self.certificate.suffix.lower() in (".p12", ".pfx", ".jks"):
            return False
        try:
            return b"PRIVATE KEY" not in self.certificate.read_bytes().replace(b"\0", b"")
        except OSError:
            return True


class OcspSpec(Value):
    """The OCSP responder of an authority: itself, or a certificate that it has issued for this purpose."""

    responder: str | None = None
    by: Literal["key", "name"] = "key"
    valid: Length | None = None
    certificates: bool = True


def _parse_key_identifier(text: str) -> bytes:
    try:
        identifier = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        identifier = b""
    if not 1 <= len(identifier) <= _LONGEST_IDENTIFIER:
        raise ValueError(
            f"'{text}' is not a key identifier: write 1 to {_LONGEST_IDENTIFIER} bytes in hexadecimal"
        )
    return identifier


KeyIdentifierBytes = Annotated[bytes, Parsed(_parse_key_identifier, "a key identifier, hexadecimal")]


@dataclass(frozen=True, slots=True)
class TypedExtension:
    """Annotation of a field that sets the extension with this OID."""

    oid: str


class EntitySpec(Value):
    """Fields common to authorities and certificates."""

    name: Annotated[str, Field(init=False)] = ""
    subject: DistinguishedName = ()
    issuer_name: DistinguishedName | None = None
    key: KeyField = "rsa-2048"
    serial: SerialNumber | None = None
    signature: SignatureSpec = SignatureSpec()
    valid: ValidityPeriod
    renew: Length | None = None
    basic_constraints: Annotated[
        BasicConstraints | Omit | None, OrNone(), TypedExtension(oids.BASIC_CONSTRAINTS)
    ] = None
    key_usage: Annotated[KeyUsage | Omit | None, OrNone(), TypedExtension(oids.KEY_USAGE)] = None
    extended_key_usage: Annotated[
        ExtendedKeyUsage | Omit | None, OrNone(), TypedExtension(oids.EXTENDED_KEY_USAGE)
    ] = None
    san: Annotated[GeneralNames | Omit | None, OrNone(), TypedExtension(oids.SUBJECT_ALTERNATIVE_NAME)] = None
    subject_key_identifier: Annotated[
        KeyIdentifierBytes | Omit | None, OrNone(), TypedExtension(oids.SUBJECT_KEY_IDENTIFIER)
    ] = None
    authority_key_identifier: Annotated[
        KeyIdentifierBytes | Omit | None, OrNone(), TypedExtension(oids.AUTHORITY_KEY_IDENTIFIER)
    ] = None
    crl_distribution_points: Annotated[
        DistributionPoints | Omit | None, OrNone(), TypedExtension(oids.CRL_DISTRIBUTION_POINTS)
    ] = None
    freshest_crl: Annotated[DistributionPoints | Omit | None, OrNone(), TypedExtension(oids.FRESHEST_CRL)] = (
        None
    )
    aia: Annotated[
        AccessLocations | Omit | None, OrNone(), TypedExtension(oids.AUTHORITY_INFORMATION_ACCESS)
    ] = None
    name_constraints: Annotated[
        NameConstraints | Omit | None, OrNone(), TypedExtension(oids.NAME_CONSTRAINTS)
    ] = None
    policies: Annotated[Policies | Omit | None, OrNone(), TypedExtension(oids.CERTIFICATE_POLICIES)] = None
    policy_mappings: Annotated[
        PolicyMappings | Omit | None, OrNone(), TypedExtension(oids.POLICY_MAPPINGS)
    ] = None
    policy_constraints: Annotated[
        PolicyConstraints | Omit | None, OrNone(), TypedExtension(oids.POLICY_CONSTRAINTS)
    ] = None
    inhibit_any_policy: Annotated[
        InhibitAnyPolicy | Omit | None, OrNone(), TypedExtension(oids.INHIBIT_ANY_POLICY)
    ] = None
    must_staple: Annotated[bool, TypedExtension(oids.TLS_FEATURE)] = False
    ocsp_no_check: Annotated[bool, TypedExtension(oids.OCSP_NO_CHECK)] = False
    no_rev_avail: Annotated[bool, TypedExtension(oids.NO_REVOCATION_AVAILABLE)] = False
    scts: Annotated[
        SignedTimestamps | Omit | None, OrNone(), TypedExtension(oids.SIGNED_CERTIFICATE_TIMESTAMPS)
    ] = None
    windows_sid: Annotated[
        SecurityIdentifier | Omit | None, OrNone(), TypedExtension(oids.SECURITY_IDENTIFIER)
    ] = None
    certificate_template: Annotated[
        CertificateTemplate | Omit | None, OrNone(), TypedExtension(oids.CERTIFICATE_TEMPLATE)
    ] = None
    certificate_template_name: Annotated[
        TemplateName | Omit | None, OrNone(), TypedExtension(oids.CERTIFICATE_TEMPLATE_NAME)
    ] = None
    modbus_role: Annotated[ModbusRole | Omit | None, OrNone(), TypedExtension(oids.MODBUS_ROLE)] = None
    extensions: tuple[RawExtension, ...] = ()
    formats: tuple[Annotated[str, one_of("format", tuple(OUTPUT_FORMATS))], ...] = ()
    key_format: Annotated[str, one_of("key format", ("pkcs8", "traditional"))] = "pkcs8"
    passphrase: Passphrase | None = Field(default=None, repr=False)
    pkcs12: Pkcs12Spec = Pkcs12Spec()
    revoked: RevokedSpec | None = None
    requirements: Annotated[tuple[SetReferenceField, ...], Field(max_length=20)] = ()


TYPED_EXTENSIONS = {
    mark.oid: name
    for name, field in EntitySpec.model_fields.items()
    for mark in field.metadata
    if isinstance(mark, TypedExtension)
}
"""The field that sets an extension, by the extension's OID."""


class AuthoritySpec(EntitySpec):
    """A root or intermediate CA; several ``issuers`` request cross-certificates.

    ``key_of`` is another authority that has the same key.
    """

    key: KeyKindField = "rsa-2048"
    key_of: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    issuers: tuple[str, ...] = Field(default=(SELF,), validation_alias="issuer")
    path_length: Annotated[int, Field(ge=0, le=255)] | None = None
    crl: Annotated[CrlSpec | Omit, OrNone()] = CrlSpec()
    crls: Annotated[tuple[AdditionalCrlSpec, ...], Field(max_length=20)] = ()
    dsa_parameters: Literal["inherited"] | None = None
    ocsp: OcspSpec | None = None
    share_key: bool = False
    imported: ImportedCASpec | None = Field(default=None, validation_alias="from")

    @property
    def is_imported_without_key(self) -> bool:
        """Whether it was imported, certainly without its private key."""
        return self.imported is not None and self.imported.lacks_key

    @property
    def crl_settings(self) -> CrlSpec:
        """The settings of the CRL; the defaults for an authority that publishes none."""
        return CrlSpec() if isinstance(self.crl, Omit) else self.crl

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        """Convert a single issuer to a list; set the default lifetime, which depends on the issuer."""
        if not isinstance(value, dict):
            return value
        issuer = value.get("issuer", SELF)
        issuers = issuer if isinstance(issuer, list) else [issuer]
        return {"valid": "10y" if SELF in issuers else "5y", **value, "issuer": issuers}


def _parse_fault(value: Any) -> FaultRequest:
    faults = parse_faults(value)
    if len(faults) != 1:
        raise ValueError(f"'{value}' matches {len(faults)} faults; specify exactly one")
    return faults[0]


FaultField = Annotated[FaultRequest, Parsed(_parse_fault, "a fault's id: pkigen faults lists them", "")]


class CertificateSpec(EntitySpec):
    """An end entity; ``issuer`` may be ``self``. ``faults`` are catalog faults."""

    issuer: str
    csr: RequestField | None = None
    files: tuple[Annotated[str, one_of("file", STANDARD_FILES)], ...] = STANDARD_FILES
    faults: Annotated[tuple[FaultField, ...], Field(max_length=_MOST_FAULTS)] = ()

    @field_validator("files")
    @classmethod
    def _with_certificate(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        """Return the files in their usual order, so that another order changes nothing."""
        if "crt" not in files:
            raise ValueError("add crt: builds read the certificate from its file")
        if len(set(files)) < len(files):
            raise ValueError("a file is listed twice")
        return tuple(one for one in STANDARD_FILES if one in files)

    @model_validator(mode="before")
    @classmethod
    def _lifetime(cls, value: Any) -> Any:
        return {"valid": "397d", **value} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _as_requested(self) -> Self:
        """Take the key from the request, and the names that the profile does not set."""
        if self.csr is None:
            return self
        if isinstance(self.key, KeyFromFile):
            raise ValueError("the key is that of the request (csr); remove the key file")
        update: dict[str, Any] = {"key": self.csr.key_kind}
        if "subject" not in self.model_fields_set:
            update["subject"] = self.csr.subject_pairs
        if "san" not in self.model_fields_set and self.csr.names:
            update["san"] = GeneralNames.model_construct(names=self.csr.names)
        return self.model_copy(update=update)

    @property
    def given_key(self) -> GivenKey | None:
        """The key of the request or of the key file; None if pkigen generates the key."""
        if self.csr is not None:
            return self.csr.given_key
        return self.key.given_key if isinstance(self.key, KeyFromFile) else None


def alternative_names(spec: EntitySpec) -> tuple[GeneralName, ...]:
    """Return the subject alternative names of an end entity (default: the host names in its common names)."""
    if isinstance(spec.san, Omit):
        return ()
    if spec.san is not None:
        return spec.san.names
    usage = spec.extended_key_usage
    servers = not isinstance(usage, ExtendedKeyUsage) or usage.permits_servers
    candidates = [
        name_of_host(value, servers)
        for kind, value in spec.subject
        if kind.removeprefix("+").partition(":")[0] == "CN"
    ]
    return tuple([name for name in candidates if name is not None])


__all__ = [
    "REASONS",
    "SELF",
    "TYPED_EXTENSIONS",
    "AuthoritySpec",
    "CertificateSpec",
    "EntitySpec",
    "ImportedCASpec",
    "alternative_names",
]
