"""Resolves the ``lab`` section of a profile to the certificates of the environment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, Protocol

from pkigen.documents.fields import close_to
from pkigen.environment.environment import NO_KEY_FILE, Case, Environment
from pkigen.errors import InputError
from pkigen.lab.appliance.appliance import Role
from pkigen.profile import Profile
from pkigen.profile.enrolment import Template
from pkigen.profile.top_level import MOST_SENSORS, Enrollment, Forwarding, Lab


class _Find(Protocol):
    """Finds the certificate with a name; ``path`` is the location of the name in the section."""

    def __call__(self, name: str, *path: str | int) -> Case: ...


_EXAMPLE = "lab: {console: management-console, sensors: ['sensor-*']}"


PROTOCOLS: tuple[Literal["acme", "est"], ...] = ("acme", "est")
"""The enrollment protocols that appliances support."""


@dataclass(frozen=True, slots=True)
class EnrolmentRule:
    """The template and the protocol with which an appliance requests its certificate."""

    template: Template
    protocol: str


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a lab with their certificates; consoles before sensors.

    ``enrolling`` are the rules of the appliances that request their certificates.
    """

    settings: Lab
    appliances: tuple[tuple[Role, Case], ...]
    fresh: frozenset[str]
    receivers: dict[str, Case]
    enrolling: dict[str, EnrolmentRule]


def lab_settings(profile: Profile) -> Lab:
    """Return the ``lab`` section. Raise InputError if the profile has none."""
    if profile.lab is None:
        raise InputError(
            profile.top_problem((), f"the profile has no 'lab' section; add one, for example {_EXAMPLE}")
        )
    return profile.lab


def resolve_members(profile: Profile, environment: Environment) -> Members:
    """Return the members. Raise InputError for an unknown certificate, or one with two roles."""
    settings = lab_settings(profile)
    # Certificates that devices requested have no key file, and names that globs could match.
    own = (case for case in environment.cases() if case.fault is None and "enrolment" not in case.data)
    cases = {case.name: case for case in own}

    def case(name: str, *path: str | int) -> Case:
        if name not in cases:
            hint = close_to(name, tuple(cases))
            words = f"the profile has no certificate '{name}'"
            problem = profile.top_problem(
                ("lab", *path), words + (f" (did you mean '{hint}'?)" if hint else "")
            )
            raise InputError(problem)
        if missing := _missing(cases[name]):
            raise InputError(profile.top_problem(("lab", *path), f"'{name}' {missing}"))
        return cases[name]

    def matching(pattern: str, *path: str | int) -> list[str]:
        if not any(character in pattern for character in "*?["):
            return [case(pattern, *path).name]
        return [name for name in cases if fnmatchcase(name, pattern)] or [case(pattern, *path).name]

    parts = [(Role.CONSOLE, case(settings.console, "console"))]
    if settings.secondary is not None:
        parts.append((Role.SECONDARY, case(settings.secondary, "secondary")))
    for number, pattern in enumerate(settings.sensors):
        matches = matching(pattern, "sensors", number)
        parts += [(Role.SENSOR, case(name, "sensors", number)) for name in matches]
    names = [one.name for _, one in parts]
    _check_names(names, profile)

    def appliances(patterns: Sequence[str], *path: str | int) -> Iterator[str]:
        for number, pattern in enumerate(patterns):
            matches = [name for name in matching(pattern, *path, number) if name in names]
            if not matches:
                words = f"'{pattern}' matches no appliance of the lab; add it to 'sensors', or remove it here"
                raise InputError(profile.top_problem(("lab", *path, number), words))
            yield from matches

    enrolling = dict[str, EnrolmentRule]()
    for number, rule in enumerate(settings.enroll):
        of_rule = appliances(rule.appliances, "enroll", number, "appliances")
        enrolling |= dict.fromkeys(of_rule, _enrolment_rule(rule, number, profile))
    fresh = frozenset(appliances(settings.fresh, "fresh"))
    receivers = _receivers(settings.forwarding, names, case, profile)
    return Members(settings, tuple(parts), fresh, receivers, enrolling)


def _missing(case: Case) -> str:
    """Return what a certificate lacks for an appliance; "" if nothing."""
    if not case.hosts:
        return "has no host name; set a common name or a subject alternative name"
    return "" if "key" in case.data["files"] else f"has no key file: {NO_KEY_FILE}"


def _enrolment_rule(rule: Enrollment, number: int, profile: Profile) -> EnrolmentRule:
    templates = {template.name: template for template in profile.templates}
    template = templates.get(rule.template)
    if template is None:
        known = ", ".join(templates) or "none; add a section 'enrolment'"
        words = f"there is no template '{rule.template}'; the templates are: {known}"
        raise InputError(profile.top_problem(("lab", "enroll", number, "template"), words))
    protocol = rule.protocol or next((one for one in PROTOCOLS if one in template.protocols), None)
    if protocol is None or protocol not in template.protocols:
        words = f"the template '{template.name}' must offer {protocol or ' or '.join(PROTOCOLS)}"
        raise InputError(profile.top_problem(("lab", "enroll", number), words))
    return EnrolmentRule(template, protocol)


def _check_names(names: Sequence[str], profile: Profile) -> None:
    if len(names) > MOST_SENSORS:
        words = f"{len(names)} appliances; the maximum is {MOST_SENSORS}"
        raise InputError(profile.top_problem(("lab", "sensors"), words))
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            profile.top_problem(("lab",), f"'{twice}' has two roles; each certificate can have only one")
        )


def _receivers(
    rules: tuple[Forwarding, ...], appliances: Sequence[str], case: _Find, profile: Profile
) -> dict[str, Case]:
    receivers = dict[str, Case]()
    for number, rule in enumerate(rules):
        if rule.name in [other.name for other in rules[:number]]:
            words = f"two forwarding rules have the name '{rule.name}'"
            raise InputError(profile.top_problem(("lab", "forwarding", number, "name"), words))
        if rule.name in appliances:
            words = f"an appliance already has the name '{rule.name}'; rename the rule"
            raise InputError(profile.top_problem(("lab", "forwarding", number, "name"), words))
        if rule.certificate is not None:
            receivers[rule.name] = case(rule.certificate, "forwarding", number, "certificate")
    return receivers
