"""The section ``enrolment``: templates of the certificates that devices request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field

from pkigen.asn1.names import ATTRIBUTE_TYPES
from pkigen.documents import yaml_tree
from pkigen.documents.fields import Parsed, Value, unknown
from pkigen.errors import Problem, Refused
from pkigen.faults import EnrolmentFaultRequest, parse_enrolment_fault
from pkigen.formats.output_formats import format_called
from pkigen.model import STANDARD_FILES
from pkigen.profile.certification_request import Requested
from pkigen.profile.expansion import Body, Instance, InstanceError
from pkigen.profile.extension_fields import GeneralNames
from pkigen.profile.file_fields import Passphrase
from pkigen.profile.name_fields import Pairs
from pkigen.profile.specifications import CertificateSpec, alternative_names

MOST_TEMPLATES = 100
_LONGEST_COMMON_NAME = 64
"""RFC 5280, A.1."""
NOT_IN_TEMPLATES = ("name", "csr", "serial", "revoked", "each", "files")
"""Keys of certificates that templates cannot have."""
_MISSING = re.compile(r"no such variable: 'csr\.([^']+)'")
_NAME_KINDS = ("dns", "ip", "email", "uri", "upn", "rid", "srv", "smtputf8", "dirname", "other")
_SAMPLE = {
    **{f"csr.{kind}": "device" for kind in ATTRIBUTE_TYPES},
    **dict.fromkeys(("csr.C", "csr.jurisdictionC"), "US"),
    **dict.fromkeys(("csr.CN", "csr.DC", "csr.dns"), "device.example"),
    **dict.fromkeys(("csr.email", "csr.emailAddress"), "device@device.example"),
    "csr.ip": "192.0.2.1",
    "csr.uri": "urn:device",
}
"""Values of a request, for the check of a template before there is one."""

Port = Annotated[int, Field(ge=1, le=65535)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Challenge = Literal["http-01", "tls-alpn-01", "dns-01"]


def _parse_part(text: str) -> str:
    head, dot, kind = text.partition(".")
    known = {"subject": tuple(ATTRIBUTE_TYPES), "san": _NAME_KINDS, "public_key": ()}
    if head not in known:
        raise ValueError(unknown("part of a request", text, ("subject", "subject.CN", "san", "san.dns")))
    if dot and kind not in known[head]:
        raise ValueError(unknown(f"part of the {head} of a request", kind, known[head]))
    return text


EnrolmentFault = Annotated[
    EnrolmentFaultRequest,
    Parsed(parse_enrolment_fault, "a fault's id, or {ID: {times: 3, endpoint: NAME}}", ""),
]


class ProtocolSettings(Value):
    """Keys that each protocol has: ``faults`` of the server for requests of a template."""

    faults: Annotated[tuple[EnrolmentFault, ...], Field(max_length=100)] = ()


class AcmeSettings(ProtocolSettings):
    """ACME (RFC 8555) for a template.

    ``hosts`` maps patterns of host names to the addresses from which challenges are fetched; without an
    entry that is a loopback address. ``eab`` are keys of external accounts by their key identifier: with
    any, an account needs one (RFC 8555, 7.3.4). ``resolver`` is the DNS server for dns-01 (HOST:PORT; by
    default pkigen's own).
    """

    challenges: Annotated[tuple[Challenge, ...], Field(min_length=1)] = ("http-01", "tls-alpn-01", "dns-01")
    hosts: Annotated[dict[str, str], Field(max_length=1000)] = Field(default_factory=dict)
    http_port: Port = 80
    tls_port: Port = 443
    resolver: Text | None = None
    eab: Annotated[dict[str, Passphrase], Field(max_length=100)] = Field(default_factory=dict, repr=False)


class EstSettings(ProtocolSettings):
    """EST (RFC 7030) for a template: the user and the passphrase of HTTP Basic authentication."""

    user: Text | None = None
    passphrase: Passphrase | None = Field(default=None, repr=False)


class ScepSettings(ProtocolSettings):
    """SCEP (RFC 8894) for a template: the challenge password that a request must contain."""

    challenge: Passphrase | None = Field(default=None, repr=False)


class CmpSettings(ProtocolSettings):
    """CMP (RFC 9810) for a template: the shared secret of MAC-based protection, and its reference value."""

    secret: Passphrase | None = Field(default=None, repr=False)
    reference: Text | None = None


class TemplateSettings(Value):
    """The keys of a template that are not fields of a certificate.

    ``from_request`` are the parts of a request that the certificate gets, None for the default. ``names``
    are patterns: every requested name must match one of them.
    """

    from_request: Annotated[
        tuple[Annotated[str, Parsed(_parse_part, "subject, subject.CN, san, san.dns ...")], ...] | None,
        Field(max_length=50),
    ] = None
    names: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    acme: AcmeSettings | None = None
    est: EstSettings | None = None
    scep: ScepSettings | None = None
    cmp: CmpSettings | None = None


PROTOCOLS = ("acme", "est", "scep", "cmp")


class NameNotAllowed(Refused):
    """A requested name that the template does not permit, or that it cannot use."""


@dataclass(frozen=True)
class Template:
    """A template of certificates that devices request.

    ``own_keys`` are the keys that the template itself sets, without inherited ones. ``of_server`` marks the
    enrollment server's own certificates: the profile's requirement sets are for devices and do not apply.
    """

    name: str
    body: Body[CertificateSpec]
    settings: TemplateSettings
    own_keys: frozenset[str] = frozenset()
    of_server: bool = False

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that the template offers."""
        return tuple(name for name in PROTOCOLS if getattr(self.settings, name) is not None)

    @property
    def from_request(self) -> tuple[str, ...]:
        """The parts of a request that the certificate gets; by default what the template does not set."""
        if self.settings.from_request is not None:
            return self.settings.from_request
        return tuple(part for part in ("subject", "san") if part not in self.own_keys)

    def with_keys(self, keys: Mapping[str, yaml_tree.Items | yaml_tree.Text]) -> Template:
        """Return the template with other values for keys of its certificates."""
        tree = self.body.tree.copy()
        for name, value in keys.items():
            tree.put(name, value, None)
        return replace(self, body=replace(self.body, tree=tree))

    def with_http_port(self, port: int) -> Template:
        """Return the template, which names ACME, with another port from which http-01 is fetched."""
        assert self.settings.acme is not None
        acme = self.settings.acme.model_copy(update={"http_port": port})
        return replace(self, settings=self.settings.model_copy(update={"acme": acme}))

    def sample(self) -> tuple[Instance, CertificateSpec]:
        """Return the certificate of a request with arbitrary values; InstanceError with all its problems."""
        instance = self._instance("device", _SAMPLE, "device")
        return instance, self.body.specification(instance)

    def specification(self, requested: Requested, name: str) -> CertificateSpec:
        """Return the certificate for a request; raise NameNotAllowed, or ValueError for unusable names."""
        pairs, names = requested.subject_pairs, requested.names
        variables = {f"csr.{kind.removeprefix('+')}": value for kind, value in reversed(pairs)}
        variables |= {f"csr.{one.kind}": str(one.value) for one in reversed(names)}
        # The stored name can have a number, as in a.test-2, which is no name of the device.
        label = variables.get("csr.CN") or next((str(one.value) for one in names), name)
        is_too_long = len(label) > _LONGEST_COMMON_NAME
        label = name if is_too_long else label
        try:
            spec = self.body.specification(self._instance(name, variables, label))
        except InstanceError as error:
            raise NameNotAllowed("; ".join(map(_as_rejection, error.problems))) from error
        update: dict[str, object] = {
            "csr": requested,
            "key": requested.key_kind,
            "files": STANDARD_FILES,
            "formats": tuple(one for one in spec.formats if not format_called(one).secret),
            "subject": _merged(spec.subject, pairs, self.from_request),
        }
        if is_too_long:
            update["subject"] = tuple(one for one in spec.subject if one != ("CN", name))
        kinds = {part.partition(".")[2] for part in self.from_request if part.startswith("san")}
        if kinds:
            granted = tuple(one for one in names if "" in kinds or one.kind in kinds)
            update["san"] = GeneralNames.model_construct(names=granted, critical=None) if granted else None
        granted_spec = spec.model_copy(update=update)
        self._check_names(granted_spec)
        return granted_spec

    def _instance(self, name: str, variables: dict[str, str], label: str) -> Instance:
        """Return the instance that is stored as ``name``; ``label`` is the variable ``name``."""
        return Instance(name, {**self.body.common, **variables, "name": label}, None)

    def _check_names(self, spec: CertificateSpec) -> None:
        """Refuse granted names that no pattern of the template matches."""
        if not self.settings.names:
            return
        common_names = [value for kind, value in spec.subject if kind.removeprefix("+") == "CN"]
        for text in (*common_names, *(str(one.value) for one in alternative_names(spec))):
            if not any(fnmatchcase(text.lower(), pattern.lower()) for pattern in self.settings.names):
                patterns = ", ".join(self.settings.names)
                raise NameNotAllowed(f"the name '{text}' is not allowed; the template allows {patterns}")


def _as_rejection(problem: Problem) -> str:
    """Return the problem of a template as the reason to reject a request."""
    missing = _MISSING.match(problem.message)
    return f"it has no {missing[1]}, which the template uses" if missing else problem.message


def _merged(subject: Pairs, requested: Pairs, parts: tuple[str, ...]) -> Pairs:
    """Return the subject of the template with the granted parts of the request."""
    if "subject" in parts:
        return requested or subject
    kinds = {part.partition(".")[2] for part in parts if part.startswith("subject.")}
    granted = {kind: value for kind, value in reversed(requested) if kind in kinds}
    own = [(kind, granted.pop(kind, value)) for kind, value in subject]
    return (*own, *granted.items())
