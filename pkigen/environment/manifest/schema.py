"""The pydantic models of manifest.json. Builds write it and programs read it through them.

Fields are in the order in which the file contains them. A field without a default is always present; a field
with a default is present only if it is set, so write with ``exclude_unset=True`` (see ``as_json``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from pkigen.environment.manifest.model import EntityName, FilePath, FileUrl, ManifestModel

FORMAT = "pkigen-manifest"
VERSION = 1


class Key(ManifestModel):
    """The public part of a key: that of the key file, before a fault edits bytes of the certificate."""

    kind: str = Field(description="rsa-2048, ec-p256, ...")
    spki_sha256: str = Field(description="SHA-256 of the SubjectPublicKeyInfo, hexadecimal")


class _Named(ManifestModel):
    name: EntityName
    subject: str = Field(description="before a fault edits bytes")


class Certificate(ManifestModel):
    """Identifies one certificate as planned; a fault that edits bytes can make the certificate differ."""

    issuer: str | None = Field(description="the authority that signed it; null if self-signed")
    serial: str = Field(description="hexadecimal, without leading zeros; before a fault edits bytes")
    not_before: datetime = Field(description="before a fault edits bytes")
    not_after: datetime = Field(description="before a fault edits bytes")
    sha256: str = Field(
        description="fingerprint: SHA-256 of the DER as issued, hexadecimal; a fault of the file"
        " can put another certificate first, or none"
    )


class Revoked(ManifestModel):
    """A revocation: reason and time as in the CRL."""

    reason: str
    at: datetime
    invalid_since: datetime | None = Field(default=None, description="the entry's invalidity date")


class EarlierCertificate(ManifestModel):
    """A certificate that the entity had before, or whose serial number an interrupted build reserved."""

    issuer: str | None = Field(description="the authority that signed it; null if self-signed")
    serial: str = Field(description="hexadecimal, two digits per byte")
    revoked: Revoked | None


class Verdict(ManifestModel):
    """The expected verdict of a strict validator that trusts the case's ``trust``."""

    expected: Literal["accept", "reject", "varies"] = Field(description="varies: validators differ")
    stage: Literal["file", "parse", "path", "name", "revocation", "transport", "lint"] | None = Field(
        description="the step of the validation that rejects the case"
    )
    reason: str | None = Field(description="the reason for the rejection, for people")
    at: datetime | None = Field(None, description="the time of the verdict, if not the build clock")


class Fault(ManifestModel):
    """The intentional fault of a case, and the expected behavior of an appliance at upload."""

    id: str = Field(
        description="the case's name without the base and the period; if two cases are wrong together,"
        " both have it, and the name of the second one ends in .twin"
    )
    base: str = Field(description="the certificate without a fault")
    says: str = Field(description="the fault, for people")
    against: str = Field(description="the requirement set; empty for a fault of the catalog")
    violates: list[str] | None = Field(
        description="the only requirements that fail; null for a fault of the catalog:"
        " see uploads, for each set"
    )
    accepted: bool | None = Field(
        description="whether the appliance accepts the upload; null if undocumented"
    )
    messages: list[str] = Field(description="the appliance's messages if it refuses the upload")
    clause: str = Field(description="the clause that it violates: of RFC 5280, unless another one is named")
    verdict: Literal["R", "A", "P", "V", ""] = Field(
        description="the fault's class: validators Refuse it, Accept it (a control), let it Pass, Vary"
    )
    shows: str = Field(description="the symptom and the action to take, for people")
    family: str = Field(
        "", description="its family in the catalog; of several combined faults, that of the most severe one"
    )
    file: Literal["certificate", "key", "chain", ""] = Field(
        "", description="for a case of a requirement set: the only file that has the fault"
    )
    sent: bool = Field(
        True, description="for a case of a requirement set: false if what a TLS server presents is sound"
    )
    authority: str = Field(
        "",
        description="for a case of a requirement set: the authority whose copy, in the path of the case,"
        " violates the requirements",
    )


class _Entity(Certificate, _Named):
    cross_certificates: list[Certificate]
    path: list[str] = Field(description="authorities from the issuing CA up to the root")
    key: Key
    files: dict[str, FilePath] = Field(
        description="paths relative to the environment: certificate, key, chain, others by their extension"
    )
    earlier_certificates: list[EarlierCertificate] = Field(
        default_factory=list, description="the certificates that it had before"
    )
    requirements: list[str] = Field(
        default_factory=list,
        description="its own sets, in addition to those of the environment; for a case: of its base",
    )


class CrlPart(ManifestModel):
    """A CRL in addition to the complete one."""

    name: str = Field(
        description="delta, indirect, reasons, other-reasons, part-NUMBER of a partition, or a name in crls"
    )
    url: str
    file: FilePath = Field(description="DER, relative to the environment")


class Crl(ManifestModel):
    """The complete CRL of an authority; the first of its additional CRLs if it publishes no complete one."""

    url: str = Field(description="the URL in the certificates")
    file: FilePath = Field(description="DER, relative to the environment")
    number: int
    this_update: datetime
    next_update: datetime
    parts: list[CrlPart] = Field(description="the CRLs in addition to the complete one")


class Responding(ManifestModel):
    """The OCSP responder for the certificates of an authority."""

    url: str
    responder: str | None = Field(
        description="the certificate whose key signs; null: the authority's own key"
    )
    by: Literal["key", "name"] = Field(description="the form of the ResponderID (RFC 6960)")
    valid: int = Field(description="lifetime of a response in seconds")
    certificates: bool = Field(
        True, description="whether responses that the authority signs itself contain its certificate"
    )


class Authority(_Entity):
    """A root or intermediate CA."""

    ca_url: str = Field(description="the URL of its certificate in DER")
    fault: Fault | None = None
    revoked: Revoked | None
    trusted: bool = Field(description="whether trust.pem contains it")
    crl: Crl | None = Field(description="null if it publishes none, or was imported without a key")
    ocsp: Responding | None = Field(
        default=None,
        description="null if the profile does not define one; then the authority itself responds",
    )


class Upload(ManifestModel):
    """The expected result of uploading a case to an appliance that has requirements."""

    set: str = Field(description="the requirement set")
    accepted: bool = Field(description="whether the appliance accepts the upload")
    messages: list[str] = Field(description="the documented messages of a refusal")
    undecided: list[str] = Field(description="requirements that could cause a refusal and cannot be checked")
    violates: list[str] = Field(description="the requirements that fail, by id")


class Serving(ManifestModel):
    """A fault of the server for a case."""

    url: str = Field(description="the URL; tls: in the handshake")
    how: str = Field(description="status, slow, redirect, ...")
    argument: str = Field(description="the status code, ...; empty if there is none")


class Ocsp(ManifestModel):
    """The OCSP response for a case."""

    url: str = Field(description="the URL in the certificate")
    file: FilePath = Field(description="OCSPResponse, DER, relative to the environment")
    this_update: datetime
    next_update: datetime | None


class Case(_Entity):
    """An end-entity certificate with everything that is published for it, and the expected verdict."""

    hosts: list[str] = Field(description="the DNS names and IP addresses that it is valid for")
    server: bool = Field(
        True,
        description="whether it is for TLS servers, by its own or its base's extended key usage; false if"
        " only the device has the private key",
    )
    trust: list[FilePath] = Field(
        description="the trust anchors of its clients: certificates, relative to the environment"
    )
    serving: list[Serving] = Field(description="faults of the server")
    fault: Fault | None = None
    revoked: Revoked | None
    verdict: Verdict
    ocsp: Ocsp | None = Field(None, description="the response, for a case with an OCSP fault")
    uploads: list[Upload] | None = Field(
        None, description="for a case with a fault: the expected result for each requirement set"
    )


class Enrolment(ManifestModel):
    """How a device got a certificate."""

    template: str | None = Field(description="the template of the profile; null without one")
    protocol: str = Field(description="acme, est, scep, cmp, or command")
    requester: str = Field(description="what the protocol knows about the client; empty if nothing")
    at: datetime = Field(description="when the certificate was issued")


class Enrolled(Case):
    """A certificate that a device requested; it is not in the profile, and builds keep it."""

    enrolment: Enrolment


class FleetFile(ManifestModel):
    """A file of a shard."""

    path: FilePath | FileUrl = Field(description="relative to the environment, or a URL")
    sha256: str


class FleetShard(ManifestModel):
    """Some certificates of a fleet; the serial number of each is one more than that of the one before."""

    first: int = Field(description="the number of its first certificate")
    last: int
    first_serial: str = Field(description="hexadecimal, as all serial numbers")
    last_serial: str
    not_before: datetime = Field(description="of its certificates without a fault")
    not_after: datetime
    files: list[FleetFile]


class FleetRevoked(ManifestModel):
    """Which certificates of a fleet the profile revokes: those whose number is a multiple."""

    every: int
    reason: str


class FleetFaults(ManifestModel):
    """Which certificates of a fleet have a fault: those whose number is a multiple; the faults take turns."""

    every: int
    of: list[str]


class Fleet(ManifestModel):
    """Certificates in shards: NAME-1 to NAME-COUNT, with leading zeros so that all names have one length."""

    name: EntityName
    count: int
    issuer: str = Field(description="the authority that signed the certificates")
    path: list[str] = Field(description="authorities from the issuing CA up to the root")
    key: str = Field(description="the kind of the keys: rsa-2048, ec-p256, ...")
    keys: int | None = Field(description="the number of keys that all certificates share; null: one each")
    formats: list[str]
    chain: FilePath = Field(description="the CA certificates, PEM")
    revoked: FleetRevoked | None
    faults: FleetFaults | None
    shards: list[FleetShard]


class ServiceFault(ManifestModel):
    """A fault of the server for an authority without a fault."""

    of: str = Field(description="the authority")
    url: str = Field(description="the URL; for OCSP: of requests about the authority's certificates")
    fault: str = Field(description="the fault's id in the catalog")
    arguments: dict[str, str] = Field(description="its parameters, if they differ from the default")


class PathTest(ManifestModel):
    """A test of a path validator, with every CRL of the authorities of the path and of ``authorities``."""

    id: str
    title: str
    certificate: EntityName = Field(description="the certificate to validate, a case")
    authorities: list[str] = Field(description="authorities in addition to those of the certificate's path")
    chain: list[str] = Field(
        default_factory=list, description="authorities instead of those of the certificate's path"
    )
    trust: list[str] = Field(default_factory=list, description="trust anchors; empty: those in `trust.pem`")
    host: str | None = Field(default=None, description="the host name or IP address of the server")
    purpose: Literal["server", "client", "any"] = "any"
    reject_sha1: bool = Field(default=False, description="whether signatures with SHA-1 are rejected")
    policies: list[str] = Field(description="the initial policy set; empty: any policy")
    explicit_policy: bool = Field(description="initial-explicit-policy")
    inhibit_mapping: bool = Field(description="initial-policy-mapping-inhibit")
    inhibit_any_policy: bool = Field(description="initial-any-policy-inhibit")
    expect: Literal["accept", "reject"] = Field(description="the verdict that RFC 5280 requires")
    required: bool = Field(default=True, description="whether the verdict is required, not only preferable")


class Manifest(ManifestModel):
    """The whole document."""

    clock: datetime = Field(description="the clock of the build that wrote this file")
    format: Literal["pkigen-manifest"]
    version: Literal[1]
    environment: str
    base_url: str
    requirements: list[str] = Field(description="the sets that certificates without a fault satisfy")
    seeded: bool = Field(description="whether the keys derive from a seed and are not secret")
    trust: FilePath = Field(description="the trust anchors, PEM")
    serving: list[ServiceFault] = Field(
        default_factory=list, description="faults of the server for authorities without a fault"
    )
    path_tests: list[PathTest] = Field(default_factory=list, description="tests of path validators")
    authorities: list[Authority]
    cases: list[Case]
    fleets: list[Fleet] = Field(default_factory=list, description="certificates in shards")
    enrolled: list[Enrolled] = Field(
        default_factory=list, description="the certificates that devices requested, which builds keep"
    )

    @property
    def end_entities(self) -> Iterator[Case]:
        """Return the certificates of the profile, then those that devices requested."""
        yield from self.cases
        yield from self.enrolled

    def paths(self) -> Iterator[str]:
        """Return every path in the document, relative to the environment."""
        yield self.trust
        for entity in (*self.authorities, *self.end_entities):
            yield from entity.files.values()
        for fleet in self.fleets:
            yield fleet.chain
            files = (file.path for shard in fleet.shards for file in shard.files)
            yield from (path for path in files if "://" not in path)
        for crl in (one.crl for one in self.authorities if one.crl is not None):
            yield crl.file
            yield from (part.file for part in crl.parts)
        for case in self.end_entities:
            yield from case.trust
            if case.ocsp is not None:
                yield case.ocsp.file


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of manifest.json (draft 2020-12)."""
    schema = Manifest.model_json_schema()
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**title, **schema, "title": "pkigen manifest"}
