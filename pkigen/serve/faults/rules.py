"""Faults of the service: which published URLs of CAs have which fault."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pkigen.environment.published.publishers import load_crl_issuers
from pkigen.errors import InputError, PkigenError, visible
from pkigen.faults import FaultRequest, Impossible, parse_faults
from pkigen.model import Role
from pkigen.plan.service_faults import ISSUED, Effect, effect
from pkigen.store import Store

_log = logging.getLogger(__name__)
PROFILE, LIVE = "profile", "live"
_FOLDERS = ("", "/crl", "/ca")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class ServiceFault:
    """A fault of an authority (by name), at a URL, or of the whole server if both are empty.

    ``source`` is the profile or a request at run time.
    """

    request: FaultRequest
    of: str = ""
    url: str = ""
    source: str = LIVE


@dataclass(frozen=True, slots=True)
class Rule:
    """The effect of a fault at URL paths and below them; "" is the whole server.

    ``authority`` is the issuer of the CRL, or of the certificates in an OCSP request; "" means any.
    """

    fault: ServiceFault
    paths: tuple[str, ...]
    authority: str
    effect: Effect

    @property
    def place(self) -> tuple[str, str]:
        """The part of the server that can have one fault at a time."""
        if self.fault.of:
            return self.effect.target, self.fault.of
        return ("path", self.paths[0]) if self.paths else ("port", "")

    def depth(self, path: str) -> int:
        """Return the length of the longest matching path, or -1."""
        fitting = (len(one) for one in self.paths if path == one or path.startswith(f"{one}/"))
        return max(fitting, default=-1)


def rules_at(rules: Iterable[Rule], path: str) -> list[Rule]:
    """Return the rules that apply at a path, those of the longest paths first."""
    depths = sorted(((rule.depth(path), rule) for rule in rules), key=lambda pair: -pair[0])
    return [rule for depth, rule in depths if depth >= 0]


def parse_service_fault(value: object) -> FaultRequest:
    """Parse a fault: an ID, or an ID with parameters; InputError if it is invalid."""
    if isinstance(value, str) and len(value) > _LONGEST:
        raise InputError(f"fault ID is too long; the maximum is {_LONGEST} characters")
    try:
        faults = parse_faults(value)
    except ValueError as error:
        raise InputError(str(error)) from None
    if len(faults) != 1:
        raise InputError(f"'{visible(str(value))}' matches {len(faults)} faults; specify exactly one")
    return faults[0]


def of_profile(manifest: Mapping[str, Any]) -> Iterator[ServiceFault]:
    """Yield the service faults of the profile."""
    for entry in manifest.get("serving", ()):
        arguments = entry.get("arguments") or {}
        request = parse_service_fault({entry["fault"]: arguments} if arguments else entry["fault"])
        yield ServiceFault(request, entry["of"], "", PROFILE)


def rules_of_profile(folder: Path, manifest: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return the rules of the profile; log and skip those that a build has made impossible."""
    rules = list[Rule]()
    for fault in of_profile(manifest):
        try:
            rules.append(rule_of(folder, manifest, fault))
        except PkigenError as error:
            _log.warning("%s of the profile is not served: %s", fault.request.type.id, error)
    return tuple(rules)


def rule_of(folder: Path, manifest: Mapping[str, Any], fault: ServiceFault) -> Rule:
    """Return the rule of a fault in an environment; InputError if it is impossible."""
    try:
        if fault.of:
            return _of_authority(folder, manifest, fault)
        return _at(folder, manifest, fault)
    except Impossible as error:
        raise InputError(str(error)) from None


def path_below(manifest: Mapping[str, Any], path: str) -> str:
    """Remove the path of the base URL; the same files are served at both."""
    prefix = unquote(urlsplit(str(manifest["base_url"])).path)
    return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path


def _of_authority(folder: Path, manifest: Mapping[str, Any], fault: ServiceFault) -> Rule:
    if fault.url:
        raise InputError("specify only one of 'of' (an authority) and 'url'")
    authority = _authority(manifest, fault.of)
    resolved = _effect(folder, authority, fault.request)
    urls = {
        "crl": _crl_urls(authority),
        "ca": [authority["ca_url"]],
        "ocsp": [_ocsp_url(manifest, authority)],
        "port": [],
    }
    if resolved.target == "port":
        raise InputError(f"'{fault.request.type.id}' is a fault of the whole server; remove 'of'")
    if not urls[resolved.target]:
        raise InputError(f"the authority '{fault.of}' publishes no CRL")
    paths = tuple(published_path(manifest, url) for url in urls[resolved.target])
    return Rule(fault, paths, fault.of, _naming(manifest, authority, resolved))


def _at(folder: Path, manifest: Mapping[str, Any], fault: ServiceFault) -> Rule:
    """Return the rule of a fault at a URL, or of the whole server."""
    path = "" if fault.url in ("", "/") else published_path(manifest, fault.url)
    owners = dict(_owners(manifest))
    known = {one: published_path(manifest, one) for one in owners}
    owner = next((owners[url] for url, own in known.items() if own == path), None)
    resolved = effect(fault.request) if owner is None else _effect(folder, owner, fault.request)
    words = f"'{fault.request.type.id}'"
    if resolved.target == "port":
        if path:
            raise InputError(f"{words} is a fault of the whole server; remove 'url'")
        return Rule(fault, (), "", resolved)
    responders = {published_path(manifest, _ocsp_url(manifest, one)) for one in manifest["authorities"]}
    if path not in {*known.values(), *responders, *_FOLDERS}:
        close = get_close_matches(path, [*known.values(), *responders], 1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        raise InputError(f"nothing is published at '{visible(fault.url)}'{hint}")
    if resolved.crl is not None and (owner is None or path == published_path(manifest, owner["ca_url"])):
        raise InputError(f"{words} is a fault of CRLs; specify the URL of a CRL, or an authority with 'of'")
    if resolved.ocsp is not None and path not in responders:
        raise InputError(f"{words} is a fault of OCSP; specify an OCSP URL, or an authority with 'of'")
    if resolved.argument == ISSUED:
        if owner is None:
            raise InputError(f"{words} is a fault of CA certificates; specify the URL of one, or 'of'")
        resolved = _naming(manifest, owner, resolved)
    return Rule(fault, (path,), owner["name"] if owner and resolved.crl else "", resolved)


def _authority(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the authority with a name; faulty copies are excluded."""
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


def _effect(folder: Path, authority: Mapping[str, Any], request: FaultRequest) -> Effect:
    """Return the effect for the key kind and the planned CRL of an authority."""
    with Store.open(folder, write=False) as store:
        issuer = load_crl_issuers(store).get(f"{Role.AUTHORITY}/{authority['name']}")
    kind = authority["key"]["kind"]
    return effect(request, kind) if issuer is None else effect(request, kind, issuer.crl)


def _naming(manifest: Mapping[str, Any], authority: Mapping[str, Any], resolved: Effect) -> Effect:
    """Fill in the ID of a certificate that the authority issued, if the effect requires one."""
    if resolved.argument != ISSUED:
        return resolved
    for case in manifest["cases"]:
        if case["issuer"] == authority["name"] and "fault" not in case:
            return replace(resolved, argument=f"{Role.CERTIFICATE}/{case['name']}")
    raise InputError(f"the authority '{authority['name']}' has issued no certificate to serve instead")


def _owners(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the published URLs of the authorities without a fault."""
    for one in manifest["authorities"]:
        if "fault" not in one:
            yield one["ca_url"], one
            yield from ((url, one) for url in _crl_urls(one))


def _crl_urls(authority: Mapping[str, Any]) -> list[str]:
    crl = authority["crl"]
    return [] if crl is None else [crl["url"], *(part["url"] for part in crl.get("parts", ()))]


def _ocsp_url(manifest: Mapping[str, Any], authority: Mapping[str, Any]) -> str:
    """Return the OCSP URL for the certificates of an authority."""
    ocsp = authority.get("ocsp")
    return str(ocsp["url"]) if ocsp else f"{manifest['base_url']}/ocsp"


def published_path(manifest: Mapping[str, Any], url: str) -> str:
    """Return the path of a URL or path on this server; InputError for a URL of another server."""
    base = str(manifest["base_url"])
    if url.startswith(f"{base}/"):
        return url.removeprefix(base).rstrip("/")
    if not url.startswith("/"):
        raise InputError(
            f"'{visible(url)}' is not below {base}; use such a URL, or a path such as /crl/root.crl"
        )
    return path_below(manifest, url).rstrip("/")
