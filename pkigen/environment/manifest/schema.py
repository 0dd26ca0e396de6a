"""manifest.json: what other programs read of an environment. The models are its JSON Schema."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT = "pkigen-manifest"
VERSION = 1


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Key(_Model):
    """A key, told by what is public of it: the key file's, before a fault edits octets of the certificate."""

    kind: str = Field(description="rsa-2048, ec-p256, ...")
    spki_sha256: str = Field(description="SHA-256 of the SubjectPublicKeyInfo, hexadecimal")


class Certificate(_Model):
    """What identifies one certificate, as it was planned: octets that a fault edits may say otherwise."""

    issuer: str | None = Field(description="the authority that signed it; null when self-signed")
    serial: str = Field(description="hexadecimal, without leading zeros; before octets are edited")
    not_before: datetime = Field(description="before octets are edited")
    not_after: datetime = Field(description="before octets are edited")
    sha256: str = Field(
        description="fingerprint: SHA-256 of the DER as it was issued, hexadecimal; a fault of the file"
        " may put another certificate first, or none"
    )


class Revoked(_Model):
    """A revocation: reason and instant as the CRL has them."""

    reason: str
    at: datetime
    invalid_since: datetime | None = Field(default=None, description="the entry's invalidity date")


class Verdict(_Model):
    """What a strict validator says of the case at an instant, trusting what the case names."""

    expected: Literal["accept", "reject", "varies"] = Field(description="varies: validators differ")
    stage: Literal["file", "parse", "path", "name", "revocation", "transport", "lint"] | None = Field(
        description="where it shows"
    )
    reason: str | None = Field(description="why, for a person")
    at: datetime | None = Field(None, description="when, if not at the build's clock")


class Fault(_Model):
    """What is wrong on purpose, and what an appliance that demands otherwise says."""

    id: str = Field(
        description="what stands behind the name of the base and a full stop; of two that are wrong together,"
        " both have it, and the name of the second ends in .twin"
    )
    base: str = Field(description="the sound certificate")
    says: str = Field(description="what is wrong, for a person")
    clause: str = Field(description="what it breaks: RFC 5280's, if not named")
    verdict: Literal["R", "A", "P", "V", ""] = Field(
        description="the fault's class: validators Refuse it, Accept it (a control), let it Pass, Vary"
    )
    shows: str = Field(description="how it shows, and what to do, for a person")
    against: str = Field(description="the requirement set; empty for a fault of the catalogue")
    violates: list[str] | None = Field(
        description="the requirements that do not hold, and no others; null for a fault of the catalogue:"
        " uploads say it, for each set"
    )
    accepted: bool | None = Field(description="whether the appliance takes it at upload; null: not told")
    messages: list[str] = Field(description="what the appliance says when it does not")
    family: str = Field(
        "", description="its family in the catalogue; of several that are wrong together, the worst one's"
    )


class _Entity(Certificate):
    name: str
    subject: str = Field(description="before octets are edited")
    cross_certificates: list[Certificate]
    path: list[str] = Field(description="authorities from the issuing CA up to the root")
    key: Key
    files: dict[str, str] = Field(
        description="paths below the environment: certificate, key, chain, others by their ending"
    )
    revoked: Revoked | None
    fault: Fault | None = None


class CrlPart(_Model):
    """A CRL beside the complete one."""

    name: str = Field(description="delta, indirect, reasons, other-reasons, or part-NUMBER of a partition")
    url: str
    file: str = Field(description="DER, below the environment's folder")


class Crl(_Model):
    """The complete CRL of an authority."""

    url: str = Field(description="where the certificates say it is")
    file: str = Field(description="DER, below the environment's folder")
    number: int
    this_update: datetime
    next_update: datetime
    parts: list[CrlPart] = Field(description="what is published beside it")


class Responding(_Model):
    """Who answers OCSP requests about what an authority has issued."""

    url: str
    responder: str | None = Field(description="the certificate whose key signs; null: the authority's")
    by: Literal["key", "name"] = Field(description="how answers name who signs (RFC 6960, ResponderID)")
    valid: int = Field(description="how long an answer is good for, in seconds")


class Authority(_Entity):
    """A root or intermediate CA."""

    ca_url: str = Field(description="where its certificate is served in DER")
    trusted: bool = Field(description="whether it is in trust.pem")
    crl: Crl | None = Field(description="null when its key was not brought along, or none is published")
    ocsp: Responding | None = Field(
        default=None, description="null when the profile does not say; the authority itself answers then"
    )


class Upload(_Model):
    """What an appliance that demands something says of a case when it is uploaded."""

    set: str = Field(description="the requirement set")
    accepted: bool = Field(description="whether it is taken")
    messages: list[str] = Field(description="what the appliance says when it is not, as documented")
    undecided: list[str] = Field(description="requirements that it would refuse for and cannot be judged")
    violates: list[str] = Field(description="the requirements that do not hold, by id")


class Serving(_Model):
    """What a server does wrong for a case."""

    url: str = Field(description="where; tls: in the handshake")
    how: str = Field(description="status, slow, redirect, ...")
    argument: str = Field(description="the status code, ...; empty where there is none")


class Ocsp(_Model):
    """The OCSP answer about a case."""

    url: str = Field(description="where the certificate says that it is to be had")
    file: str = Field(description="OCSPResponse, DER, below the environment's folder")
    this_update: datetime
    next_update: datetime | None


class Case(_Entity):
    """An end-entity certificate with all that is published for it, and what is to be expected."""

    hosts: list[str] = Field(description="DNS names and IP addresses it is for")
    trust: list[str] = Field(
        description="the certificates, below the environment, that its clients are to trust"
    )
    serving: list[Serving] = Field(description="what a server does wrong")
    verdict: Verdict
    ocsp: Ocsp | None = Field(None, description="of a case that is about OCSP: the answer")
    uploads: list[Upload] | None = Field(
        None, description="of a case with a fault: what each requirement set says of it"
    )


class ServiceFault(_Model):
    """What a server does wrong for a sound authority."""

    of: str = Field(description="the authority")
    url: str = Field(description="where; OCSP: of requests about what the authority issued")
    fault: str = Field(description="the fault's id in the catalogue")
    arguments: dict[str, str] = Field(description="its parameters, where they are not the default")


class Manifest(_Model):
    """The whole document."""

    format: Literal["pkigen-manifest"]
    version: Literal[1]
    environment: str
    base_url: str
    clock: datetime = Field(description="the clock of the build that wrote this")
    requirements: list[str] = Field(description="the sets that certificates without a fault satisfy")
    seeded: bool = Field(description="whether the keys follow from a seed, and are no secret")
    trust: str = Field(description="the trust anchors, PEM")
    serving: list[ServiceFault] = Field(
        default_factory=list, description="what a server does wrong for sound authorities"
    )
    authorities: list[Authority]
    cases: list[Case]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of manifest.json (draft 2020-12)."""
    schema = Manifest.model_json_schema()
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**title, **schema, "title": "pkigen manifest"}
