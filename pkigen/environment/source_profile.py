"""The profile that an environment was built from, with the faults that commands added, and its entities."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pkigen.environment.set_files import record_set_files
from pkigen.errors import InputError, Problem
from pkigen.faults import FaultRequest, parse_faults
from pkigen.model import Role
from pkigen.profile import Profile, load
from pkigen.profile.top_level import Negatives
from pkigen.store import Store, decoding

_PROFILE, _DOCUMENT = "profile", "profile-document"
_IS_GLOB = re.compile(r"[*?\[]")
REQUESTED_FAULTS = "breaks"
"""The index's key of the faults that ``pkigen break`` added."""


def load_source_profile(folder: Path) -> Profile:
    """Load the profile that an environment was built from; InputError if its file no longer exists."""
    with Store.open(folder, write=False) as store:
        source = recorded_profile(store)
        document, base, base_url = _recorded_document(store)
    if document is not None:
        profile = load(document, folder=Path(base))
    elif source is None or not Path(source).is_file():
        problem = f"{source} no longer exists" if source else "no profile is recorded"
        raise InputError(f"{folder} cannot be changed without its profile: {problem}. Build it again")
    else:
        profile = load(Path(source), base_url=base_url)
    if folder.resolve().name != profile.name:
        raise InputError(f"{source} defines the environment {profile.name}, not {folder}")
    return profile


def recorded_profile(store: Store) -> str | None:
    """Return the path of the profile of the last build; None if it was built without a file."""
    with decoding(f"meta: {_PROFILE}"):
        source: str | None = json.loads(store.index.meta(_PROFILE) or "null")
        if source is not None and not isinstance(source, str):
            raise TypeError
        return source


def record_profile(store: Store, profile: Profile) -> None:
    """Record the path of the profile that an environment is built from, and those of its own sets.

    A profile without a file is recorded as a whole, and so is a base URL that overrides the profile's.
    """
    # JSON, since paths can contain bytes that are not UTF-8.
    store.index.set_meta(_PROFILE, json.dumps(resolved_source(profile)))
    document = profile.document if profile.source is None else None
    details = [document, str(profile.folder.resolve()), profile.base_url_override]
    store.index.set_meta(_DOCUMENT, json.dumps(details))
    record_set_files(store, profile)


def _recorded_document(store: Store) -> tuple[dict[str, Any] | None, str, str | None]:
    """Return the profile of the last build if it has no file, its directory, and an overriding base URL."""
    with decoding(f"meta: {_DOCUMENT}"):
        document, folder, base_url = json.loads(store.index.meta(_DOCUMENT) or '[null, "", null]')
        if not (isinstance(document, dict | None) and isinstance(folder, str)):
            raise TypeError
        return document, folder, base_url


def resolved_source(profile: Profile) -> str | None:
    """Return the absolute path of a profile's file; None if it has none."""
    return None if profile.source is None else str(profile.source.resolve())


def output_directory(folder: Path, profile: Profile) -> Path:
    """Return the parent of an environment, without resolving links if possible."""
    return folder.parent if folder.name == profile.name else folder.resolve().parent


def with_requested_faults(profile: Profile, store: Store) -> Profile:
    """Return the profile with the negative cases that commands added and that still apply to it."""
    requested = requested_faults(store)
    if not requested:
        return profile
    names = {spec.name for spec in profile.certificates() if not spec.faults}
    existing = {(entry.of, fault.type.id) for entry in profile.negatives for fault in entry.faults}
    additional = [
        Negatives(of=one["of"], faults=_requests(one["fault"]), combine=isinstance(one["fault"], list))
        for one in requested
        if one["of"] in names and (one["of"], fault_id(one["fault"])) not in existing
    ]
    changed = copy.copy(profile)
    changed.negatives = (*profile.negatives, *additional)
    return changed


def requested_faults(store: Store) -> list[dict[str, Any]]:
    """Return the cases that commands added: ``of`` is a certificate, ``fault`` has the form of a profile."""
    with decoding(f"meta: {REQUESTED_FAULTS}"):
        requested: list[dict[str, Any]] = json.loads(store.index.meta(REQUESTED_FAULTS) or "[]")
        for one in requested:
            fault_id(one["fault"]), one["of"].partition("/")
        return requested


def save_requested_faults(store: Store, requested: Sequence[dict[str, Any]]) -> None:
    """Store the cases that commands added for later builds."""
    store.index.set_meta(REQUESTED_FAULTS, json.dumps(requested))


def fault_id(fault: str | dict[str, Any] | list[Any]) -> str:
    """Return the id of a fault in the form of a profile, or of several that one case combines."""
    if isinstance(fault, list):
        return "+".join(map(fault_id, fault))
    return fault if isinstance(fault, str) else next(iter(fault))


def _requests(fault: str | dict[str, Any] | list[Any]) -> tuple[FaultRequest, ...]:
    parts = fault if isinstance(fault, list) else [fault]
    return tuple(one for part in parts for one in parse_faults(part))


def is_glob(name: str) -> bool:
    """Return whether a name is a pattern that can select several entities."""
    return _IS_GLOB.search(name) is not None


def matches_any(name: str, known: Sequence[str]) -> bool:
    """Return whether a name or a glob selects any of the ids."""
    return any(_matching(name, known))


def _matching(name: str, known: Sequence[str]) -> Iterator[str]:
    if not is_glob(name):
        yield from (entity for entity in known if name in (entity, entity.partition("/")[2]))
        return
    for entity in known:
        role, _, own_name = entity.partition("/")
        if role == Role.CERTIFICATE and fnmatchcase(own_name, name):
            yield entity


def find_entities(name: str, known: Sequence[str]) -> list[str]:
    """Return the ids with a name; ``authorities/NAME`` and ``certificates/NAME`` select one of two.

    ``name`` can be a glob such as ``sensor-*``, of certificates. Raises InputError with a similar name if
    there is none.
    """
    matches = list(_matching(name, known))
    if not matches:
        names = [entity.partition("/")[2] for entity in known]
        similar = get_close_matches(name, names, 1)
        raise InputError(
            Problem("the environment has no such entity", name, None, similar[0] if similar else None)
        )
    return matches
