"""Checks across the parts of a document, after each part is valid by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from pkigen.asn1.oids import SUBJECT_ALTERNATIVE_NAME
from pkigen.clock import Moment, resolve_moment
from pkigen.documents import limits
from pkigen.documents.fields import Omit, Value, close_to
from pkigen.errors import Problem
from pkigen.formats.output_formats import format_called, incompatible
from pkigen.keys.kinds import parse_kind, refusal
from pkigen.model import Signature
from pkigen.profile.crl_checks import crl_errors
from pkigen.profile.enrolment import Template
from pkigen.profile.expansion import (
    Body,
    Instance,
    InstanceError,
    Spec,
)
from pkigen.profile.extension_fields import ExtendedKeyUsage
from pkigen.profile.fleets import Fleet, fleet_errors
from pkigen.profile.names import check_name
from pkigen.profile.path_tests import path_test_errors
from pkigen.profile.profile import Profile, above, in_order, required, unravel
from pkigen.profile.shared_keys import shared_key_errors
from pkigen.profile.specifications import (
    SELF,
    TYPED_EXTENSIONS,
    AuthoritySpec,
    CertificateSpec,
    EntitySpec,
    alternative_names,
)
from pkigen.x509.timestamps import BEGINNING

Errors = Iterator[tuple[tuple[str | int, ...], str, str | None]]
"""(path in the body, error, suggestion)"""


class Checks:
    """One pass over every authority and every certificate of a profile."""

    def __init__(
        self, profile: Profile, mentioned: frozenset[str], problems: list[Problem], most: int
    ) -> None:
        """Store the inputs; ``mentioned`` are names of authorities that exist, possibly with errors."""
        self._profile = profile
        self._mentioned = set(mentioned)
        self._problems = problems
        self._most = most
        self._authorities: dict[str, AuthoritySpec] = {}
        self._known: tuple[str, ...] = ()
        self._circular: set[str] = set()
        self._too_deep: set[str] = set()
        self._checked: set[object] = set()
        self._warnings: dict[object, Problem] = {}
        self._serials: dict[tuple[str, int], str] = {}
        self._now = datetime.now(UTC)

    def run(self) -> None:
        """Run all checks, and sort the authorities into the order of issue."""
        count = self._profile.count + sum(body.count for body in self._profile.authority_bodies)
        if count > limits.CERTIFICATES:
            words = f"{count} certificates, and {limits.CERTIFICATES} is the limit"
            self._problems.append(Problem(words, "certificates"))
            return
        names = dict[str, str]()
        specs = list[tuple[Body[AuthoritySpec], Instance, AuthoritySpec]]()
        for authorities in self._profile.authority_bodies:
            specs += [(authorities, *pair) for pair in self._specifications(authorities, names)]
        self._authorities = {spec.name: spec for _, _, spec in specs}
        self._mentioned |= set(names.values())
        self._known = tuple(sorted(self._mentioned))
        self._profile.authorities = in_order([spec for _, _, spec in specs])
        self._circular = self._in_circles()
        depths = dict[str, int]()
        for spec in self._profile.authorities:
            depths[spec.name] = 1 + max((depths.get(name, 0) for name in above(spec)), default=0)
        self._too_deep = {name for name, depth in depths.items() if depth == limits.PATH_AUTHORITIES + 1}
        for authority_body, instance, spec in specs:
            self._report(authority_body, instance, self._check_authority(spec))
            self._warn(authority_body, instance, self._renewal_warnings(spec))
            if len(self._problems) > self._most:
                return
        names.clear()
        responders = {spec.ocsp.responder for _, _, spec in specs if spec.ocsp and spec.ocsp.responder}
        known = dict[str, CertificateSpec]()
        for body in self._profile.certificate_bodies:
            for instance, certificate in self._specifications(body, names):
                if certificate.name in responders:
                    known[certificate.name] = certificate
                self._report(body, instance, self._check_certificate(body, certificate))
                self._warn(body, instance, _name_warnings(certificate))
                self._warn(body, instance, self._renewal_warnings(certificate))
                if len(self._problems) > self._most:
                    return
        self._check_derived(names)
        for place, words, close in path_test_errors(self._profile.path_tests, names.values(), self._known):
            self._problems.append(replace(self._profile.top_problem(place, words), suggestion=close))
        for authority_body, instance, spec in specs:
            self._report(authority_body, instance, _check_responder(spec, known, tuple(names.values())))
        self._profile.warnings = tuple(self._warnings.values())

    def _specifications(self, body: Body[Spec], names: dict[str, str]) -> Iterator[tuple[Instance, Spec]]:
        """Yield the specifications of a body; check their names and record the errors."""
        try:
            for instance in body.instances():
                self._problems += self._name_problems(body, instance, names)
                try:
                    yield instance, body.specification(instance)
                except InstanceError as error:
                    self._problems += error.problems
                if len(self._problems) > self._most:
                    return
        except InstanceError as error:
            self._problems += error.problems

    def _name_problems(
        self, body: Body[Spec], instance: Instance, names: dict[str, str]
    ) -> Iterator[Problem]:
        name, folded = instance.name, instance.name.lower()
        wrong = check_name(name)
        if wrong is None and name == SELF:
            wrong = "'self' cannot be a name: as an issuer it means the certificate itself"
        if wrong is None and folded in names:
            other = names[folded]
            same = "is there already" if other == name else f"differs from '{other}' in case only"
            wrong = f"the name '{name}' {same}"
        names.setdefault(folded, name)
        if wrong is not None:
            yield Problem(wrong, body.where, instance.row or body.place)

    def _report(self, body: Body[Spec], instance: Instance, errors: Errors) -> None:
        self._problems += [body.problem(instance, *problem) for problem in errors]

    def _warn(self, body: Body[Spec], instance: Instance, warnings: Errors) -> None:
        """Record warnings; a range has each of them once."""
        for warning in warnings if len(self._warnings) < self._most else ():
            problem = body.problem(instance, *warning)
            self._warnings.setdefault((problem.location, problem.where, problem.message), problem)

    def _renewal_warnings(self, spec: EntitySpec) -> Errors:
        """Warn if the renewal period is longer than the validity of a certificate that is valid now."""
        if spec.renew is None:
            return
        try:
            not_before, not_after = spec.valid.resolve(self._now)
            begin = not_after - (resolve_moment(spec.renew, self._now) - self._now)
        except (ValueError, OverflowError):
            return  # reported as an error
        if begin <= not_before <= self._now < not_after:
            validity = spec.valid.text.removeprefix("from -1h for ")
            periods = f"the renewal period {spec.renew.text} is not shorter than the validity {validity}"
            yield ("renew",), f"{periods}: builds renew it only when it has expired", None

    def _check_authority(self, spec: AuthoritySpec) -> Errors:
        yield from self._check_entity(spec, spec.issuers[0] if spec.issuers else SELF)
        for issuer in () if spec.imported else spec.issuers:
            yield from self._check_issuer(spec, issuer)
            yield from self._check_revocable(spec, issuer)
        for issuer in set(spec.issuers):
            yield from self._check_serial(spec, issuer)
        if len(set(spec.issuers)) < len(spec.issuers):
            yield ("issuer",), "the same issuer is listed twice", None
        if not spec.issuers:
            yield ("issuer",), "the list of issuers is empty; omit 'issuer' for a root", None
        if spec.name in self._circular and self._in_circle(spec):
            words = f"'{spec.name}' is issued by itself, through other authorities or the owner of its key"
            yield ("issuer",), words, None
        if spec.name in self._too_deep:
            yield (
                ("issuer",),
                f"more than {limits.PATH_AUTHORITIES} authorities, each issued by the next",
                None,
            )
        if spec.no_rev_avail:
            words = "only end-entity certificates may have this extension (RFC 9608, 2); remove it here"
            yield ("no_rev_avail",), words, None
        yield from shared_key_errors(spec, self._authorities, self._mentioned)
        yield from crl_errors(spec, self._authorities, self._mentioned)
        if spec.dsa_parameters and not all(
            name in self._authorities and parse_kind(self._authorities[name].key).family == "dsa"
            for name in (spec.name, *spec.issuers)
        ):
            yield ("dsa_parameters",), "the authority and its issuer need DSA keys (key: dsa-2048)", None
        if spec.is_imported_without_key and spec.formats:
            yield ("formats",), "formats need a key, and the authority was imported without one", None

    def _in_circles(self) -> set[str]:
        """Return the names of authorities in issuer cycles, and between two cycles."""
        placed = {spec.name for spec in self._profile.authorities}
        below = {name: set[str]() for name in self._authorities if name not in placed}
        for name in below:
            for issuer in required(self._authorities[name]) & below.keys():
                below[issuer].add(name)
        return below.keys() - unravel(below)

    def _in_circle(self, spec: AuthoritySpec) -> bool:
        issuers, seen = list(required(spec)), set[str]()
        while issuers:
            name = issuers.pop()
            if name == spec.name:
                return True
            if name in self._authorities and name not in seen:
                seen.add(name)
                issuers += required(self._authorities[name])
        return False

    def _check_certificate(self, body: Body[CertificateSpec], spec: CertificateSpec) -> Errors:
        """Check a certificate; check the fields that a range shares only once."""
        if spec.issuer != SELF:
            yield from self._check_issuer(spec, spec.issuer)
        if spec.csr is not None:
            yield from _check_request(spec)
        revoked = spec.revoked.text if spec.revoked else None
        files = (spec.files, spec.formats, spec.key_format, spec.name == "truststore")
        common = (id(body), spec.issuer, spec.key, files, spec.signature, spec.valid.text, revoked)
        if common not in self._checked or spec.extensions:
            self._checked.add(common)
            yield from self._check_entity(spec, spec.issuer)
        yield from self._check_serial(spec, spec.issuer)
        if spec.revoked and spec.issuer == SELF:
            yield ("revoked",), "no CA can revoke a self-signed certificate; remove 'revoked'", None
        yield from self._check_revocable(spec, spec.issuer)
        if not spec.subject and (spec.san is None or isinstance(spec.san, Omit)):
            yield ("subject",), "it needs a subject or a subject alternative name", None

    def _check_derived(self, names: dict[str, str]) -> None:
        """Check the templates and the fleets; ``names`` are those of certificates."""
        for template in self._profile.templates:
            self._check_template(template)
        for fleet in self._profile.fleets:
            self._check_fleet(fleet, names)

    def _check_template(self, template: Template) -> None:
        """Check a template with the values of a sample request."""
        try:
            instance, spec = template.sample()
        except InstanceError as error:
            self._problems += error.problems
            return
        self._report(template.body, instance, self._check_certificate(template.body, spec))
        if spec.issuer == SELF:
            words = "a request has no private key here, so a CA must issue the certificate"
            self._problems.append(template.body.problem(instance, ("issuer",), words))

    def _check_fleet(self, fleet: Fleet, names: dict[str, str]) -> None:
        """Check a sample of a fleet's certificates; ``names`` are those of other certificates."""
        body = fleet.body
        for index in fleet.sample():
            instance = fleet.instance(index)
            try:
                spec = body.specification(instance)
            except InstanceError as error:
                self._problems += error.problems
                return
            revoked = spec.model_copy(update={"revoked": fleet.settings.revoked})
            self._report(body, instance, self._check_certificate(body, revoked))
            self._warn(body, instance, _name_warnings(spec))
            self._report(body, instance, fleet_errors(fleet, spec) if index == 1 else iter(()))
        texts = [
            f"the certificate '{name}' exists already" for name in names.values() if fleet.index_of(name)
        ]
        texts += filter(None, [check_name(instance.name)])
        self._problems += [Problem(text, body.where, body.place) for text in texts]

    def _check_revocable(self, spec: EntitySpec, issuer: str) -> Errors:
        authority = self._authorities.get(issuer)
        if spec.revoked and authority is not None and isinstance(authority.crl, Omit) and not authority.ocsp:
            words = f"'{issuer}' publishes no CRL (crl: none) and cannot revoke certificates"
            yield ("revoked",), f"{words}; remove 'revoked' or 'crl: none', or add 'ocsp: {{}}'", None

    def _check_serial(self, spec: EntitySpec, issuer: str) -> Errors:
        """Check that an issuer has only one certificate with a serial number (RFC 5280, 4.1.2.2)."""
        if spec.serial is None:
            return
        issuer = spec.name if issuer == SELF else issuer
        other = self._serials.setdefault((issuer, spec.serial), spec.name)
        if other != spec.name:
            yield ("serial",), f"'{other}' has the serial number {spec.serial} of the same issuer", None

    def _check_issuer(self, spec: EntitySpec, issuer: str) -> Errors:
        if issuer == SELF:
            return
        authority = self._authorities.get(issuer)
        if authority is None and issuer in self._mentioned:
            return
        if authority is None:
            yield ("issuer",), f"no authority is called '{issuer}'", close_to(issuer, self._known)
        elif authority.is_imported_without_key:
            yield ("issuer",), f"'{issuer}' was imported without a key and cannot issue", None

    def _check_entity(self, spec: EntitySpec, issuer: str) -> Errors:
        kind = parse_kind(spec.key)
        signer = spec if issuer == SELF else self._authorities.get(issuer)
        if signer is not None and getattr(signer, "imported", None) is None:
            signature = Signature(spec.signature.digest or "", spec.signature.pss)
            if words := refusal(parse_kind(signer.key), signature):
                yield ("signature",), words, None
        for index, name in enumerate(spec.formats):
            if name in spec.formats[:index]:
                yield ("formats", index), f"'{name}' is listed twice", None
            elif words := incompatible(kind, name):
                yield ("formats", index), words, None
        if spec.key_format == "traditional" and (words := incompatible(kind, "key-traditional")):
            yield ("key_format",), words, None
        if spec.name == "truststore" and {"truststore", "pkcs12"} <= set(spec.formats):
            yield ("formats",), "two of its formats would be written to truststore.p12", None
        yield from _check_extensions(spec)
        yield from self._check_times(spec)

    def _check_times(self, spec: EntitySpec) -> Errors:
        try:
            not_before, not_after = spec.valid.resolve(self._now)
            if not_after < not_before:
                yield ("valid",), "the validity ends before it begins", None
        except ValueError as error:
            yield ("valid",), str(error), None
        revoked, crl = spec.revoked, spec.crl_settings if isinstance(spec, AuthoritySpec) else None
        moments: list[tuple[str, Moment | None]] = [("renew", spec.renew)]
        moments += [("revoked", revoked.at), ("revoked", revoked.invalid_since)] if revoked else []
        moments += [("crl", crl.valid), ("crl", crl.delta)] if crl else []
        ocsp = spec.ocsp if isinstance(spec, AuthoritySpec) else None
        moments += [("ocsp", ocsp.valid)] if ocsp else []
        moments += [("scts", one.at) for one in spec.scts.logs] if isinstance(spec.scts, Value) else []
        for field, moment in moments:
            try:
                if moment is not None and resolve_moment(moment, self._now) < BEGINNING and field == "scts":
                    yield (field,), f"a timestamp of a log is not before {BEGINNING.year}", None
            except ValueError as error:
                yield (field,), str(error), None


def _name_warnings(spec: CertificateSpec) -> Errors:
    """Warn if clients of a server find no name in its certificate."""
    purposes = spec.extended_key_usage
    is_server = not isinstance(purposes, ExtendedKeyUsage) or purposes.permits_servers
    raw = any(extension.oid == SUBJECT_ALTERNATIVE_NAME for extension in spec.extensions)
    if is_server and spec.san is None and not raw and not spec.faults and not alternative_names(spec):
        common_names = ", ".join(
            f"'{value}'" for kind, value in spec.subject if kind.strip("+").startswith("CN")
        )
        reason = (
            f"the common name {common_names} is not a host name"
            if common_names
            else "there is no common name"
        )
        message = f"{reason}, so this server gets no subject alternative name; set san, or san: none"
        yield ("subject",), message, None


def _check_responder(
    spec: AuthoritySpec, known: dict[str, CertificateSpec], names: tuple[str, ...]
) -> Errors:
    """Check the OCSP responder of an authority (RFC 6960, 4.2.2.2)."""
    name, where = spec.ocsp.responder if spec.ocsp else None, ("ocsp", "responder")
    if name is None:
        return
    responder = known.get(name)
    if responder is None:
        if name not in names:
            yield where, f"no certificate is called '{name}'", close_to(name, names)
    elif responder.issuer != spec.name:
        yield where, f"'{name}' is not issued by '{spec.name}' and cannot be its OCSP responder", None
    elif (
        not isinstance(responder.extended_key_usage, Value)
        or "OCSPSigning" not in responder.extended_key_usage.usages
    ):
        words = f"'{name}' cannot sign OCSP responses: it needs extended_key_usage: [OCSPSigning]"
        yield where, words, None
    elif "key" not in responder.files:
        yield where, f"'{name}' cannot sign OCSP responses: its 'files' do not include the key", None


def _check_request(spec: CertificateSpec) -> Errors:
    """Check a certificate whose private key only the device has that made the request."""
    if spec.issuer == SELF:
        yield ("issuer",), "a request has no private key here, so a CA must issue the certificate", None
    for index, name in enumerate(spec.formats):
        if format_called(name).secret:
            yield ("formats", index), f"'{name}' contains the private key, which only the device has", None


def _check_extensions(spec: EntitySpec) -> Errors:
    """Report raw extensions that duplicate each other or a typed field; they may replace defaults."""
    seen = set[str]()
    for index, raw in enumerate(spec.extensions):
        field = TYPED_EXTENSIONS.get(raw.oid)
        if raw.oid in seen:
            yield ("extensions", index), f"the extension {raw.oid} is listed twice", None
        elif field is not None and getattr(spec, field) not in (None, False, Omit.OMIT):
            words = f"the extension {raw.oid} is listed twice: here, and by '{field}'; remove one"
            yield ("extensions", index), words, None
        seen.add(raw.oid)
