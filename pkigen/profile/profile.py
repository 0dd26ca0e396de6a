"""The validated profile: authorities in order of issue, certificates one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pkigen.documents.fields import unknown
from pkigen.documents.set_reference import SetReference
from pkigen.documents.yaml_tree import Table, Text, locate
from pkigen.errors import InputError, Problem
from pkigen.profile.enrolment import Template, TemplateSettings
from pkigen.profile.expansion import Body
from pkigen.profile.fleets import Fleet
from pkigen.profile.specifications import SELF, AuthoritySpec, CertificateSpec
from pkigen.profile.template import is_template
from pkigen.profile.top_level import Head


class Profile:
    """A profile without errors.

    ``source`` is the file it was read from, None for a mapping. ``authorities`` lists issuers before the
    CAs that they issue. ``count`` is the number of certificates, without the negative cases. ``templates``
    are those of the section ``enrolment``; certificates of ``fleets`` are not in ``count``. Paths are
    relative to ``folder``. ``warnings`` are values that are valid but probably not intended.
    ``base_url_override`` replaced the base URL of the file.
    """

    def __init__(
        self,
        head: Head,
        source: Path | None,
        authorities: tuple[Body[AuthoritySpec], ...],
        certificates: tuple[Body[CertificateSpec], ...],
        templates: tuple[Template, ...],
        fleets: tuple[Fleet, ...],
        defaults: Body[CertificateSpec],
        tree: Table,
        folder: Path,
        base_url_override: str | None = None,
    ) -> None:
        self.name = head.name
        self.base_url = head.base_url
        self.requirements = head.requirements
        self.negatives = head.negatives
        self.serving = head.serving
        self.path_tests = head.path_tests
        self.lab = head.lab
        self.folder = folder
        self.base_url_override = base_url_override
        self.source = source
        self.count = sum(body.count for body in certificates)
        self.warnings: tuple[Problem, ...] = ()
        self.authorities: tuple[AuthoritySpec, ...] = ()
        self.authority_bodies = authorities
        self.certificate_bodies = certificates
        self.templates = templates
        self.fleets = fleets
        self._defaults = defaults
        self._tree = tree

    @property
    def document(self) -> dict[str, Any]:
        """The YAML document as it was validated: with what it extends, and with ``base_url_override``."""
        return self._tree

    def certificates(self) -> Iterator[CertificateSpec]:
        """Yield the end entities in the profile's order, created on demand."""
        for body in self.certificate_bodies:
            for instance in body.instances():
                yield body.specification(instance)

    def template(self, name: str = "", issuer: str = "") -> Template:
        """Return a template of requested certificates; without a name, that of the profile's defaults.

        Without ``issuer``, that is the only authority that issues end entities. Raises InputError for an
        unknown name, and if there is no such authority.
        """
        if name:
            for template in self.templates:
                if template.name == name:
                    return template
            known = tuple(template.name for template in self.templates)
            place = (
                "the profile has no section 'enrolment'" if not known else unknown("template", name, known)
            )
            raise InputError(f"{place}; omit --template to use the profile's defaults")
        tree = self._defaults.tree.copy()
        tree.put("issuer", Text(issuer or self._issuer_of_end_entities()), None)
        return Template("", replace(self._defaults, tree=tree), TemplateSettings())

    def _issuer_of_end_entities(self) -> str:
        names = [spec.name for spec in self.authorities]
        issuers = {spec.issuer for spec in self.certificates() if not spec.faults} - {SELF}
        if not issuers:
            issuers = set(names) - {issuer for spec in self.authorities for issuer in above(spec)}
        if len(issuers) != 1:
            listed = ", ".join(name for name in names if name in issuers)
            raise InputError(f"several authorities issue certificates: {listed}; select one with --issuer")
        return issuers.pop()

    def faulty(self) -> Iterator[CertificateSpec]:
        """Yield the end entities that have faults of their own."""
        for body in self.certificate_bodies:
            if "faults" in body.tree:
                specs = (body.specification(instance) for instance in body.instances())
                yield from (spec for spec in specs if spec.faults)

    def with_requirements(self) -> Iterator[AuthoritySpec | CertificateSpec]:
        """Yield the authorities and the end entities that have requirement sets of their own."""
        yield from (spec for spec in self.authorities if spec.requirements)
        for body in self.certificate_bodies:
            if "requirements" in body.tree:
                yield from (body.specification(instance) for instance in body.instances())

    @cached_property
    def issuers_with_shared_chain(self) -> frozenset[str]:
        """The authorities that issue end entities without a chain file; all of them if a template decides."""
        issuers = set[str]()
        for body in self.certificate_bodies:
            files = body.tree.get("files")
            if files is not None and "chain" not in files:
                issuer = str(body.tree.get("issuer", ""))
                issuers |= {spec.name for spec in self.authorities} if is_template(issuer) else {issuer}
        return frozenset(issuers)

    def set_references(self) -> Iterator[SetReference]:
        """Yield the references to requirement sets: of the profile, of single entities, of negative cases."""
        yield from self.requirements
        yield from {one: None for spec in self.with_requirements() for one in spec.requirements}
        yield from (one for template in self.templates for one in template.sample()[1].requirements)
        yield from (one.against for one in self.negatives if one.against is not None)

    def problem(
        self, spec: AuthoritySpec | CertificateSpec, path: tuple[str | int, ...], message: str
    ) -> Problem:
        """Return a problem with an authority or a certificate, at its location in the document."""
        for fleet in self.fleets:
            if (index := fleet.index_of(spec.name)) is not None:
                return fleet.body.problem(fleet.instance(index), path, message)
        authority = isinstance(spec, AuthoritySpec)
        bodies: Sequence[Body[Any]] = self.authority_bodies if authority else self.certificate_bodies
        for body in bodies:
            for instance in body.instances():
                if instance.name == spec.name:
                    return body.problem(instance, path, message)
        return Problem(message, f"{'authorities' if authority else 'certificates'}.{spec.name}")

    def says(self, spec: AuthoritySpec | CertificateSpec, key: str) -> bool:
        """Return whether a field is set for an entity, in its own body or by inheritance."""
        if fleet := next((one for one in self.fleets if one.index_of(spec.name) is not None), None):
            return key in fleet.body.tree
        bodies: Sequence[Body[Any]] = (*self.authority_bodies, *self.certificate_bodies)
        owners = (body for body in bodies if body.model is type(spec) and key in body.tree)
        return any(instance.name == spec.name for body in owners for instance in body.instances())

    def top_problem(self, path: tuple[str | int, ...], message: str) -> Problem:
        """Return a problem with a top-level key of the document."""
        return Problem(message, ".".join(map(str, path)), locate(self._tree, path))


def in_order(specs: list[AuthoritySpec]) -> tuple[AuthoritySpec, ...]:
    """Return authorities sorted so that those they require come first, otherwise stable; omit cycles."""
    named = {spec.name: spec for spec in specs}
    return tuple(named[name] for name in unravel({name: required(spec) for name, spec in named.items()}))


def above(spec: AuthoritySpec) -> set[str]:
    """Return the names of the authorities required to issue an authority."""
    return set() if spec.imported else set(spec.issuers) - {SELF}


def required(spec: AuthoritySpec) -> set[str]:
    """Return the names of the authorities that must exist before an authority: its issuers, and its key's."""
    return above(spec) | ({spec.key_of} if spec.key_of else set())


def unravel(waits_for: Mapping[str, set[str]]) -> list[str]:
    """Return names in topological order, otherwise stable; omit names that wait forever (cycles)."""
    missing, rank = {name: len(names) for name, names in waits_for.items()}, dict[str, int]()
    awaited_by = dict[str, list[str]]()
    for position, (name, names) in enumerate(waits_for.items()):
        rank[name] = position
        for other in names:
            awaited_by.setdefault(other, []).append(name)
    ready, placed = [name for name, count in missing.items() if not count], list[str]()
    while ready:
        placed += ready
        following = list[str]()
        for name in ready:
            for other in awaited_by.get(name, ()):
                missing[other] -= 1
                if not missing[other]:
                    following.append(other)
        ready = sorted(following, key=rank.__getitem__)
    return placed
