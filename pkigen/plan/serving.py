"""What a profile has the service do wrong for sound authorities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pkigen.errors import InputError, Problem
from pkigen.faults import Impossible
from pkigen.model import Entity
from pkigen.plan.defaults import ocsp_url
from pkigen.plan.entities import Planner
from pkigen.plan.service_faults import Effect, effect
from pkigen.profile import Profile
from pkigen.profile.fields import close_to
from pkigen.profile.top_level import Serving


@dataclass(frozen=True)
class PlannedServing:
    """A fault of the catalogue, by its id, at the URL of something that an authority publishes."""

    of: str
    url: str
    fault: str
    arguments: tuple[tuple[str, str], ...]


def serving_of(profile: Profile, planner: Planner) -> tuple[PlannedServing, ...]:
    """What is to be served wrong; InputError for all that cannot be."""
    if not profile.serving:
        return ()
    authorities = {entity.name: entity for entity in planner.authorities}
    found, problems = dict[tuple[str, str], PlannedServing](), list[Problem]()
    for number, asked in enumerate(profile.serving):
        place, entity = ("serving", number), authorities.get(asked.of)
        if entity is None:
            close = close_to(asked.of, tuple(authorities))
            hint = f" (did you mean '{close}'?)" if close else ""
            words = f"no authority is called '{asked.of}'{hint}"
            problems.append(profile.top_problem((*place, "of"), words))
            continue
        try:
            made = effect(asked.fault, entity.key, *([entity.crl] if entity.crl else []))
        except Impossible as error:
            problems.append(profile.top_problem((*place, "fault"), str(error)))
            continue
        problems += [profile.top_problem((*place, key), words) for key, words in _wrong(asked, entity, made)]
        if (asked.of, made.target) in found:
            words = f"'{asked.of}' has a fault of this kind already, and one at a time is what can be served"
            problems.append(profile.top_problem(place, words))
        url = {
            "crl": entity.crl.url if entity.crl else "",
            "ca": entity.ca_url or "",
            "ocsp": ocsp_url(profile.base_url),
        }.get(made.target, "")
        fault = asked.fault
        found[asked.of, made.target] = PlannedServing(asked.of, url, fault.type.id, fault.arguments)
    if problems:
        raise InputError(problems)
    return tuple(found.values())


def _wrong(asked: Serving, entity: Entity, made: Effect) -> Iterator[tuple[str, str]]:
    """What keeps a fault from being served for an authority: at which key, and why."""
    if made.target == "port":
        words = "is about the whole server: it can be had while that runs, by `pkigen serve --control-port`"
        yield "fault", f"'{asked.fault.type.id}' {words}"
    elif made.target == "crl" and entity.crl is None:
        yield "of", f"the authority '{entity.name}' publishes no CRL"
    elif made.target == "ocsp" and entity.crl is None:
        yield "of", f"the authority '{entity.name}' has no key here, and answers no OCSP requests"
    elif (made.crl is not None or made.ocsp is not None) and entity.output.passphrase is not None:
        words = "its key is under a passphrase, and a server cannot sign with it"
        yield "of", f"the authority '{entity.name}': {words}"
