"""Faults of the service: which URLs of sound authorities are answered wrong, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pkigen.environment.published.publishers import load_crl_issuers
from pkigen.errors import InputError, visible
from pkigen.faults import AskedFault, Impossible, asked_for
from pkigen.model import Role
from pkigen.plan.service_faults import ISSUED, Effect, effect
from pkigen.store import Store

PROFILE, LIVE = "profile", "live"
_FOLDERS = ("", "/crl", "/ca")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class ServiceFault:
    """A fault asked for: of an authority (its name), or at a URL, or of the whole server when both are empty.

    ``source`` is who asked: the profile, or somebody while the server runs.
    """

    asked: AskedFault
    of: str = ""
    url: str = ""
    source: str = LIVE


@dataclass(frozen=True, slots=True)
class Rule:
    """What a fault does at which paths below the server's root, and below these; "" is everything.

    ``authority`` is whose CRL it is, or whose certificates an OCSP request must be about; "" is anybody's.
    """

    fault: ServiceFault
    paths: tuple[str, ...]
    authority: str
    effect: Effect

    @property
    def place(self) -> tuple[str, str]:
        """What can have one fault at a time: something of an authority, a path, the port."""
        if self.fault.of:
            return self.effect.target, self.fault.of
        return ("path", self.paths[0]) if self.paths else ("port", "")

    def depth(self, path: str) -> int:
        """How closely it is about a path: the octets that fit, -1 when it is about another one."""
        fitting = (len(one) for one in self.paths if path == one or path.startswith(f"{one}/"))
        return max(fitting, default=-1)


def asked_fault(value: object) -> AskedFault:
    """One fault: an id, or an id with its parameters; InputError says what is wrong with it."""
    if isinstance(value, str) and len(value) > _LONGEST:
        raise InputError("no fault has so long an id")
    try:
        found = asked_for(value)
    except ValueError as error:
        raise InputError(str(error)) from None
    if len(found) != 1:
        raise InputError(f"'{visible(str(value))}' are {len(found)} faults: one is wanted")
    return found[0]


def of_profile(manifest: Mapping[str, Any]) -> Iterator[ServiceFault]:
    """What the profile says of the service."""
    for told in manifest.get("serving", ()):
        arguments = told.get("arguments") or {}
        asked = asked_fault({told["fault"]: arguments} if arguments else told["fault"])
        yield ServiceFault(asked, told["of"], "", PROFILE)


def rule_of(folder: Path, manifest: Mapping[str, Any], fault: ServiceFault) -> Rule:
    """What a fault comes to in an environment; InputError says why it cannot be."""
    try:
        if fault.of:
            return _of_authority(folder, manifest, fault)
        return _at(folder, manifest, fault)
    except Impossible as error:
        raise InputError(str(error)) from None


def path_below(manifest: Mapping[str, Any], path: str) -> str:
    """A path below the server's root, without that of the base URL: the same is at both."""
    prefix = unquote(urlsplit(str(manifest["base_url"])).path)
    return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path


def _of_authority(folder: Path, manifest: Mapping[str, Any], fault: ServiceFault) -> Rule:
    if fault.url:
        raise InputError("give one of 'of' (an authority) and 'url'")
    held = _authority(manifest, fault.of)
    found = _effect(folder, held, fault.asked)
    urls = {"crl": _crl_urls(held), "ca": [held["ca_url"]], "ocsp": [_ocsp_url(manifest, held)], "port": []}
    if found.target == "port":
        raise InputError(f"'{fault.asked.type.id}' is about the whole server: leave 'of' out")
    if not urls[found.target]:
        raise InputError(f"the authority '{fault.of}' publishes no CRL")
    paths = tuple(published_path(manifest, url) for url in urls[found.target])
    return Rule(fault, paths, fault.of, _naming(manifest, held, found))


def _at(folder: Path, manifest: Mapping[str, Any], fault: ServiceFault) -> Rule:
    """At a URL, or everywhere."""
    path = "" if fault.url in ("", "/") else published_path(manifest, fault.url)
    owners = dict(_owners(manifest))
    known = {one: published_path(manifest, one) for one in owners}
    owner = next((owners[url] for url, own in known.items() if own == path), None)
    found = effect(fault.asked) if owner is None else _effect(folder, owner, fault.asked)
    words = f"'{fault.asked.type.id}'"
    if found.target == "port":
        if path:
            raise InputError(f"{words} is about the whole server: leave 'url' out")
        return Rule(fault, (), "", found)
    responders = {published_path(manifest, _ocsp_url(manifest, one)) for one in manifest["authorities"]}
    if path not in {*known.values(), *responders, *_FOLDERS}:
        close = get_close_matches(path, [*known.values(), *responders], 1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        raise InputError(f"nothing is published at '{visible(fault.url)}'{hint}")
    if found.crl is not None and (owner is None or path == published_path(manifest, owner["ca_url"])):
        raise InputError(f"{words} is about a CRL: give the URL of one, or 'of' with an authority's name")
    if found.ocsp is not None and path not in responders:
        raise InputError(f"{words} is about OCSP: give its URL, or 'of' with an authority's name")
    if found.argument == ISSUED:
        if owner is None:
            raise InputError(f"{words} is about a CA certificate: give the URL of one, or 'of'")
        found = _naming(manifest, owner, found)
    return Rule(fault, (path,), owner["name"] if owner and found.crl else "", found)


def _authority(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A sound authority by its name."""
    sound: dict[str, Mapping[str, Any]] = {
        one["name"]: one for one in manifest["authorities"] if "fault" not in one
    }
    if name in sound:
        return sound[name]
    if any(one["name"] == name for one in manifest["authorities"]):
        raise InputError(f"'{visible(name)}' belongs to a case that has a fault of its own")
    close = get_close_matches(name[:_LONGEST], sound, 1)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    raise InputError(f"no authority is called '{visible(name)}'{hint}")


def _effect(folder: Path, authority: Mapping[str, Any], asked: AskedFault) -> Effect:
    """With the authority's kind of key, and its CRL as it was planned."""
    with Store.open(folder, write=False) as store:
        issuer = load_crl_issuers(store).get(f"{Role.AUTHORITY}/{authority['name']}")
    kind = authority["key"]["kind"]
    return effect(asked, kind) if issuer is None else effect(asked, kind, issuer.crl)


def _naming(manifest: Mapping[str, Any], authority: Mapping[str, Any], found: Effect) -> Effect:
    """With the id of a certificate that the authority issued, where one is wanted."""
    if found.argument != ISSUED:
        return found
    for case in manifest["cases"]:
        if case["issuer"] == authority["name"] and "fault" not in case:
            return replace(found, argument=f"{Role.CERTIFICATE}/{case['name']}")
    raise InputError(f"the authority '{authority['name']}' issued no certificate that could be given")


def _owners(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The URLs of what sound authorities publish, and whose they are."""
    for one in manifest["authorities"]:
        if "fault" not in one:
            yield one["ca_url"], one
            yield from ((url, one) for url in _crl_urls(one))


def _crl_urls(authority: Mapping[str, Any]) -> list[str]:
    crl = authority["crl"]
    return [] if crl is None else [crl["url"], *(part["url"] for part in crl.get("parts", ()))]


def _ocsp_url(manifest: Mapping[str, Any], authority: Mapping[str, Any]) -> str:
    """Where the answers about what an authority issued are to be had."""
    told = authority.get("ocsp")
    return str(told["url"]) if told else f"{manifest['base_url']}/ocsp"


def published_path(manifest: Mapping[str, Any], url: str) -> str:
    """The path of a URL, or a path, below the server's root; InputError when it is another server's."""
    base = str(manifest["base_url"])
    if url.startswith(f"{base}/"):
        return url.removeprefix(base).rstrip("/")
    if not url.startswith("/"):
        raise InputError(f"'{visible(url)}' is not below {base}; a path such as /crl/root.crl will do")
    return path_below(manifest, url).rstrip("/")
