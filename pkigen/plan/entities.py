"""Converts one resolved specification to one entity of the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Protocol, TypeVar

from pkigen.asn1 import der, names, oids
from pkigen.clock import Span, Validity, resolve_moment, shift
from pkigen.errors import InputError, Problem
from pkigen.keys.kinds import KeyKind, parse_kind, refusal
from pkigen.model import (
    ISSUED_CHAIN,
    PKCS12_PASSPHRASE,
    STANDARD_FILES,
    CertificatePlan,
    CrlForm,
    CrlPlan,
    Edit,
    EditOp,
    Entity,
    Extension,
    ImportedCA,
    Name,
    Output,
    Responding,
    Revocation,
    Role,
    Signature,
)
from pkigen.plan import imported_ca
from pkigen.plan.additional_crls import additional_crl
from pkigen.plan.crl_distribution import crl_plan, partition_of, points
from pkigen.plan.defaults import Extensions, Setting, ca_url, crl_url, ocsp_url
from pkigen.plan.digest import digest
from pkigen.plan.imported_ca import kind_of_certificate
from pkigen.profile import SELF, AuthoritySpec, CertificateSpec, Omit, Profile, alternative_names
from pkigen.x509 import Certificate, CertificateList

Spec = TypeVar("Spec", AuthoritySpec, CertificateSpec)


class Serials(Protocol):
    """Draws the serial number of a certificate: positive, at most 20 bytes, unique for its issuer."""

    def __call__(self, issuer_id: str, owner_id: str, index: int, /) -> int:
        """Return a serial number; ``index`` numbers the owner's certificates from 0."""
        ...


class Planner:
    """Plans entities with shared data: the clock and the authorities."""

    def __init__(self, profile: Profile, clock: datetime, serials: Serials | None, crl_life: Span) -> None:
        self.profile = profile
        self.clock = clock
        self.fixed_times = set[datetime]()
        self.warnings = list[Problem](profile.warnings)
        self.previous_crls = dict[str, CertificateList]()
        self._crl_life = crl_life
        self._serials = serials
        self._extensions = Extensions()
        self._last_hosts: tuple[object, tuple[str, ...]] | None = None
        self._last_validity: tuple[Validity, tuple[datetime, datetime]] | None = None
        self._specs = {spec.name: spec for spec in profile.authorities}
        self._imported_cas = self._read_imported()
        self._imported_kinds = dict[str, KeyKind]()
        self._crls = dict[str, CrlPlan]()
        self._settings = dict[tuple[str, Role, str, int], Setting]()
        self._led_to = dict[tuple[str, int], tuple[Extension, Extension | None]]()
        self._subjects = {name: self._subject(spec) for name, spec in self._specs.items()}

    @cached_property
    def authorities(self) -> tuple[Entity, ...]:
        """Return the authorities, issuers before the CAs that they issue."""
        return tuple(self._clocked(self._authority, spec) for spec in self.profile.authorities)

    def certificate(self, spec: CertificateSpec) -> Entity:
        """Return one end entity."""
        return self._clocked(self._certificate, spec)

    def serial(self, issuer_id: str, owner_id: str) -> int:
        """Return a serial number for the first certificate of an owner."""
        return self._serial(issuer_id, owner_id, 0)

    def _serial(self, issuer_id: str, owner_id: str, index: int) -> int:
        return self._serials(issuer_id, owner_id, index) if self._serials else 1

    def certificates(self) -> Iterator[Entity]:
        """Yield the end entities in the profile's order, one by one."""
        return (self._clocked(self._certificate, spec) for spec in self.profile.certificates())

    def _clocked(self, make: Callable[[Spec], Entity], spec: Spec) -> Entity:
        """Return the entity of a specification; report times out of range as a problem."""
        try:
            return make(spec)
        except ValueError as error:
            clock = f"with the clock at {self.clock:%Y-%m-%dT%H:%M:%SZ}"
            raise InputError(f"{spec.name} cannot be planned {clock}: {error}") from error

    def _revocation(self, spec: AuthoritySpec | CertificateSpec) -> Revocation | None:
        if spec.revoked is None:
            return None
        at = resolve_moment(spec.revoked.at, self.clock)
        since = spec.revoked.invalid_since
        invalid_since = None if since is None else resolve_moment(since, self.clock)
        return Revocation(spec.revoked.reason, at, spec.revoked.text, invalid_since)

    def _read_imported(self) -> dict[str, ImportedCA]:
        imported, problems = {}, []
        for spec in self._specs.values():
            if spec.imported is None:
                continue
            try:
                imported[spec.name], notes = imported_ca.read(spec.imported)
                self.warnings += [self.profile.problem(spec, ("from",), note) for note in notes]
            except InputError as error:
                problems += [
                    self.profile.problem(spec, ("from",), problem.message) for problem in error.problems
                ]
                continue
            if (previous := spec.crl_settings.previous) is not None:
                try:
                    crl = imported_ca.read_previous_crl(previous, imported[spec.name])
                    self.previous_crls[f"{Role.AUTHORITY}/{spec.name}"] = crl
                except InputError as error:
                    problems.append(self.profile.problem(spec, ("crl", "from"), error.problems[0].message))
        if problems:
            raise InputError(problems)
        return imported

    def _subject(self, spec: AuthoritySpec) -> Name:
        existing = self._imported_cas.get(spec.name)
        return Certificate(existing.certificate).subject if existing else names.name(spec.subject)

    def _path(self, issuer: str) -> tuple[str, ...]:
        """Return the ids of the authorities from ``issuer`` up to its root."""
        path = []
        while issuer != SELF:
            path.append(f"{Role.AUTHORITY}/{issuer}")
            spec = self._specs[issuer]
            issuer = SELF if spec.imported else spec.issuers[0]
        return tuple(path)

    def _authority(self, spec: AuthoritySpec) -> Entity:
        base_url, imported_ca_data = self.profile.base_url, self._imported_cas.get(spec.name)
        plans: tuple[CertificatePlan, ...] = ()
        if imported_ca_data is None:
            plans = tuple(
                self._plan(spec, Role.AUTHORITY, issuer, index, self._subjects[spec.name])
                for index, issuer in enumerate(spec.issuers)
            )
        can_sign = imported_ca_data is None or imported_ca_data.key is not None
        crl = self._crl(spec) if can_sign else None
        return Entity(
            Role.AUTHORITY,
            spec.name,
            kind_of_certificate(imported_ca_data.certificate) if imported_ca_data else spec.key,
            plans,
            () if imported_ca_data else self._path(spec.issuers[0]),
            _output(spec, self._files_of_authority(spec.name)),
            crl=crl,
            ca_url=ca_url(base_url, spec.name),
            revocation=self._revocation(spec),
            renew_before=self._seconds(spec.renew),
            imported=imported_ca_data,
            key_of=f"{Role.AUTHORITY}/{spec.key_of}" if spec.key_of else "",
            responding=self._responding(spec),
        )

    def _files_of_authority(self, name: str) -> tuple[str, ...]:
        """Return the files of an authority; some of its certificates can share their chain."""
        shared = self.profile.issuers_with_shared_chain
        return (*STANDARD_FILES, ISSUED_CHAIN) if name in shared else STANDARD_FILES

    def _crl(self, spec: AuthoritySpec) -> CrlPlan | None:
        """Return the CRLs of an authority that can sign CRLs; None if it publishes none."""
        omitted, settings = isinstance(spec.crl, Omit), spec.crl_settings
        if omitted and not spec.crls:
            return None
        if spec.name not in self._crls:
            life = self._seconds(settings.valid or self._crl_life)
            url = crl_url(self.profile.base_url, spec.name)
            lists_others = any(other.crl_settings.issuer == spec.name for other in self._specs.values())
            delta = self._seconds(settings.delta)
            crl = crl_plan(spec, life, delta, url, lists_others=lists_others)
            additional = tuple(additional_crl(one, self._subjects) for one in spec.crls)
            form = CrlForm.NONE if omitted else crl.form
            self._crls[spec.name] = replace(crl, additional=additional, form=form)
        return self._crls[spec.name]

    def _responding(self, spec: AuthoritySpec) -> Responding | None:
        ocsp = spec.ocsp
        if ocsp is None:
            return None
        lifetime = self._seconds(ocsp.valid) or Responding("").lifetime
        url = ocsp_url(self.profile.base_url)
        return Responding(url, ocsp.responder or "", ocsp.by == "name", lifetime, ocsp.certificates)

    def _responds(self, issuer: str) -> bool:
        return issuer != SELF and self._specs[issuer].ocsp is not None

    def partitions(self, issuer: str) -> int:
        """Return the number of CRLs that the certificates of an authority are divided into, or 0."""
        return 0 if issuer == SELF else self._specs[issuer].crl_settings.partitions or 0

    def _points(self, issuer: str, partition: int) -> tuple[Extension | None, Extension | None]:
        """Return the CRL distribution points and the freshest CRL of the certificates in a partition."""
        if issuer == SELF:
            return None, None
        spec = self._specs[issuer]
        crl = self._crl(spec)
        if crl is None or crl.form is CrlForm.NONE:
            return None, None
        other, where = spec.crl_settings.issuer, (issuer, partition)
        if where not in self._led_to:
            indirect = self._crl(self._specs[other]) if other else None
            lister = (indirect, self._subjects[other]) if other and indirect else None
            self._led_to[where] = points(crl, partition, lister)
        return self._led_to[where]

    def _certificate(self, spec: CertificateSpec) -> Entity:
        given = spec.given_key
        plan = self._plan(spec, Role.CERTIFICATE, spec.issuer, 0, names.name(spec.subject))
        return Entity(
            Role.CERTIFICATE,
            spec.name,
            spec.key,
            (plan,),
            self._path(spec.issuer),
            _output(spec, spec.files),
            hosts=self._hosts(spec),
            server="key" in spec.files
            and (given is None or given.pkcs8 is not None)
            and _is_for_servers(plan),
            revocation=self._revocation(spec),
            renew_before=self._seconds(spec.renew),
            given=given,
        )

    def _hosts(self, spec: CertificateSpec) -> tuple[str, ...]:
        """Return the host names for clients: DNS names and IP addresses of the certificate."""
        if spec.san is None or self._last_hosts is None or self._last_hosts[0] is not spec.san:
            names = alternative_names(spec)
            hosts = tuple(str(name.value) for name in names if name.kind in ("dns", "ip"))
            self._last_hosts = spec.san, hosts
        return self._last_hosts[1]

    def _check_signature(
        self, spec: AuthoritySpec | CertificateSpec, issuer: str, signature: Signature
    ) -> None:
        """Refuse a signature that an imported key cannot create; the profile checks all other keys."""
        if issuer not in self._imported_kinds:
            kind = kind_of_certificate(self._imported_cas[issuer].certificate)
            self._imported_kinds[issuer] = parse_kind(kind)
        if words := refusal(self._imported_kinds[issuer], signature):
            raise InputError([self.profile.problem(spec, ("signature",), words)])

    def _times(self, validity: Validity) -> tuple[datetime, datetime]:
        """Return not_before and not_after; the members of a range share their validity."""
        if self._last_validity is None or self._last_validity[0] is not validity:
            not_before, not_after = validity.resolve(self.clock)
            if not_after < not_before:
                raise ValueError("it ends before it begins")
            if isinstance(validity.start, datetime):
                self.fixed_times |= {not_before, not_after}
            elif isinstance(validity.end, datetime):
                self.fixed_times.add(not_after)
            self._last_validity = validity, (not_before, not_after)
        return self._last_validity[1]

    def _seconds(self, span: Span | None) -> int:
        """Return a duration in seconds from the clock; the length of months depends on the date."""
        if span is None:
            return 0
        return int((shift(self.clock, span) - self.clock).total_seconds())

    def setting(
        self, spec: AuthoritySpec | CertificateSpec, role: Role, issuer: str, partition: int
    ) -> Setting:
        """Return the inputs of a certificate's default extensions."""
        inputs = (spec.key, role, issuer, partition)
        setting = self._settings.get(inputs)
        if setting is None:
            setting = self._settings[inputs] = Setting(
                None if issuer == SELF else issuer,
                self.profile.base_url,
                parse_kind(spec.key).family == "rsa",
                role is Role.AUTHORITY,
                *self._points(issuer, partition),
                ocsp_url(self.profile.base_url) if self._responds(issuer) else "",
                self.clock,
            )
        return setting

    def _plan(
        self, spec: AuthoritySpec | CertificateSpec, role: Role, issuer: str, index: int, subject: Name
    ) -> CertificatePlan:
        own_id = f"{role}/{spec.name}"
        self_signed = issuer == SELF
        imported = self._imported_cas.get(issuer)
        if imported is not None and imported.key is None:
            message = f"'{issuer}' was imported without a key and cannot issue"
            raise InputError(self.profile.problem(spec, ("issuer",), message))
        count = self.partitions(issuer)
        setting = self.setting(spec, role, issuer, partition_of(spec.name, count) if count else 0)
        issuer_name = subject if self_signed else self._subjects[issuer]
        if spec.issuer_name is not None:
            issuer_name = names.name(spec.issuer_name)
        signature = Signature(spec.signature.digest or "", spec.signature.pss)
        if issuer in self._imported_cas:
            self._check_signature(spec, issuer, signature)
        extensions = self._extensions(spec, setting)
        issuer_id = own_id if self_signed else f"{Role.AUTHORITY}/{issuer}"
        inherits = isinstance(spec, AuthoritySpec) and spec.dsa_parameters is not None
        key_of = spec.key_of if isinstance(spec, AuthoritySpec) else None
        not_before, not_after = self._times(spec.valid)
        return CertificatePlan(
            issuer_id,
            subject,
            issuer_name,
            self._serial(issuer_id, own_id, index) if spec.serial is None else spec.serial,
            not_before,
            not_after,
            signature,
            extensions,
            digest(
                subject,
                issuer_name,
                signature,
                spec.valid.text,
                extensions,
                "DSA parameters inherited" if inherits else "",
                serial=spec.serial,
                key_of=key_of or "",
            )
            if self._serials
            else "",
            (_WITHOUT_PARAMETERS,) if inherits else (),
        )


_WITHOUT_PARAMETERS = Edit((6, 0, 1), EditOp.REMOVE)
"""Removes the parameters of the public key, which are then those of the issuer's (RFC 3279, 2.3.2)."""
_SERVER_PURPOSES = {oids.EXTENDED_KEY_USAGES["any"], oids.EXTENDED_KEY_USAGES["serverAuth"]}


def _output(spec: AuthoritySpec | CertificateSpec, files: tuple[str, ...]) -> Output:
    passphrase = spec.pkcs12.passphrase or spec.passphrase or PKCS12_PASSPHRASE
    alias = spec.pkcs12.alias or spec.name
    return Output(spec.formats, spec.key_format, spec.passphrase, passphrase, alias, files=files)


def _is_for_servers(plan: CertificatePlan) -> bool:
    """Return whether the extended key usage, if there is one, includes TLS servers (RFC 5280, 4.2.1.12)."""
    usage = next((one.value for one in plan.extensions if one.oid == oids.EXTENDED_KEY_USAGE), None)
    return not isinstance(usage, bytes) or permits_servers(usage)


@lru_cache(maxsize=64)
def permits_servers(usage: bytes) -> bool:
    """Return whether an extended key usage (DER) includes TLS servers; True if it cannot be decoded."""
    try:
        purposes = set(map(der.dotted, der.children(usage)))
    except (ValueError, IndexError):
        return True
    return not purposes.isdisjoint(_SERVER_PURPOSES)
