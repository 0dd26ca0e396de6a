"""The top-level keys of a profile, including the section `lab`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import Field, ValidationError, model_validator

from pkigen.documents.fields import Parsed, Value
from pkigen.documents.set_reference import SetReferenceField
from pkigen.documents.yaml_tree import Table, locate
from pkigen.errors import Problem
from pkigen.faults import FaultRequest, parse_fault_list, parse_faults
from pkigen.profile.messages import messages_of
from pkigen.profile.names import check_name
from pkigen.profile.path_tests import PathTest

MOST_SENSORS = 500

_ADDRESS = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")

Named = Annotated[str, Field(min_length=1, max_length=200)]


def _parse_address(text: str) -> str:
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError(f"'{text}' is no address such as 10.1.0.20:6514")
    return text


Address = Annotated[str, Parsed(_parse_address, "HOST:PORT")]


def _parse_rule_name(text: str) -> str:
    if problem := check_name(text):
        raise ValueError(problem)
    return text


RuleName = Annotated[str, Parsed(_parse_rule_name, "NAME")]


class Forwarding(Value):
    """A rule that forwards alerts to a server over TLS.

    ``to`` is the protocol of the server. Without ``address`` the lab simulates the server, with the named
    certificate; otherwise it is a real server at that address. ``host`` is the expected host name in its
    certificate (default: the first host of ``certificate``). ``sender`` is the client that forwards.
    """

    name: RuleName
    to: Literal["syslog", "webhook"]
    certificate: Named | None = None
    address: Address | None = None
    host: Named | None = None
    sender: Literal["console", "sensors"] = "console"

    @model_validator(mode="after")
    def _complete(self) -> Forwarding:
        if self.certificate is None and (self.address is None or self.host is None):
            raise ValueError(
                "give 'certificate' for a server of the lab, or 'address' and 'host' of a real one"
            )
        if self.to == "webhook" and self.sender == "sensors":
            raise ValueError("webhooks are of the management console alone: leave 'sender' out")
        return self


class Enrollment(Value):
    """Appliances that request their certificates themselves, by a template of the section ``enrolment``.

    Without ``protocol``, it is the first one of the template that appliances support.
    """

    template: Named
    protocol: Literal["acme", "est"] | None = None
    appliances: Annotated[tuple[Named, ...], Field(min_length=1, max_length=100)]


class Lab(Value):
    """Certificates by their names in the profile; sensors also accept globs.

    ``fresh`` are appliances without any uploaded files, ``enroll`` those that request certificates.
    ``proxy`` adds an HTTP proxy between the appliances and the CRL server. The lab repeats each connection
    every ``interval`` seconds.
    """

    console: Named
    secondary: Named | None = None
    sensors: Annotated[tuple[Named, ...], Field(max_length=100)] = ()
    forwarding: Annotated[tuple[Forwarding, ...], Field(max_length=20)] = ()
    fresh: Annotated[tuple[Named, ...], Field(max_length=100)] = ()
    enroll: Annotated[tuple[Enrollment, ...], Field(max_length=20)] = ()
    proxy: bool = False
    interval: Annotated[int, Field(ge=1, le=3600)] = 15


DEFAULT_BASE_URL = "http://127.0.0.1:8080"
_BASE_URL = re.compile(
    r"(https?://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+))(:[0-9]{1,5})?((?:/(?:[a-z0-9._~!$&'()*+,;=:@-]|%[0-9a-f]{2})*)*)",
    re.IGNORECASE,
)
_SECTIONS = ("defaults", "authorities", "certificates", "enrolment", "fleets")


def _parse_name(text: str) -> str:
    if wrong := check_name(text):
        raise ValueError(wrong)
    return str(text)


def _parse_base_url(text: str) -> str:
    """Return a base URL with scheme and host in lowercase (RFC 3986, 6.2.2.1), without a slash at its end."""
    match = _BASE_URL.fullmatch(text.strip())
    if match is None or int((match[2] or ":80")[1:]) > 65535:
        raise ValueError(f"'{text}' is not a URL such as {DEFAULT_BASE_URL}: no query, no user, ASCII only")
    segments = [unquote(segment) for segment in match[3].split("/")]
    if any(segment in (".", "..") or "/" in segment or not segment.isprintable() for segment in segments):
        raise ValueError(f"the path of '{text}' is not one that a web server can have")
    return f"{match[1].lower()}{match[2] or ''}{match[3].rstrip('/')}"


def _parse_faults(value: Any) -> tuple[FaultRequest, ...]:
    values = (value,) if isinstance(value, str | dict) else value
    if not isinstance(values, list | tuple):
        raise ValueError("this must be 'all', or a list of ids and globs such as validity/*")
    return parse_fault_list(values)


Faults = Annotated[tuple[FaultRequest, ...], Parsed(_parse_faults, "all, or ids and globs of FAMILY/ID", "")]


class Negatives(Value):
    """The negative cases of one certificate: one for each requirement of a set, or for each of some faults.

    ``of`` is a certificate of the profile, ``against`` a requirement set that it satisfies. With ``against``,
    it can also be an authority: the cases are then copies of a certificate below it. ``faults`` are ids of
    catalog faults, globs of FAMILY/ID, or ``all``; with ``combine``, one case has all of them.
    """

    of: Annotated[str, Field(min_length=1, max_length=200)]
    against: SetReferenceField | None = None
    faults: Faults = ()
    combine: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> Negatives:
        if bool(self.faults) is (self.against is not None):
            raise ValueError("give one of 'against' (a requirement set) and 'faults' (of the catalog)")
        return self


def _parse_fault(value: Any) -> FaultRequest:
    faults = parse_faults(value)
    if len(faults) != 1:
        raise ValueError(f"'{value}' matches {len(faults)} faults; specify exactly one")
    return faults[0]


class Serving(Value):
    """An intentional error of the HTTP service for an authority: in its CRL, certificate URL, or OCSP.

    ``of`` is an authority of the profile, ``fault`` the id of a service fault, or that id with its
    parameters.
    """

    of: Annotated[str, Field(min_length=1, max_length=200)]
    fault: Annotated[FaultRequest, Parsed(_parse_fault, "the id of a fault, or {ID: {PARAMETER: VALUE}}", "")]


class Head(Value):
    """Name, addresses and requirement sets of an environment."""

    name: Annotated[str, Parsed(_parse_name, "the name of the environment and its directory")]
    description: Annotated[str, Field(max_length=2000)] = ""
    base_url: Annotated[str, Parsed(_parse_base_url, "where CRLs and CA certificates are served")] = (
        DEFAULT_BASE_URL
    )
    requirements: tuple[SetReferenceField, ...] = ()
    negatives: tuple[Negatives, ...] = ()
    serving: tuple[Serving, ...] = ()
    path_tests: Annotated[tuple[PathTest, ...], Field(max_length=1000)] = ()
    lab: Lab | None = None


def read_head(tree: Table, problems: list[Problem]) -> Head:
    """Return the head of a document; add its errors to ``problems``."""
    fields = {key: value for key, value in tree.items() if key not in _SECTIONS}
    try:
        return Head.model_validate(fields)
    except ValidationError as error:
        for path, words, suggestion in messages_of(
            error, Head, "top level", tree, others=(*_SECTIONS, "extends")
        ):
            where = ".".join(map(str, path))
            problems.append(Problem(words, where, locate(tree, path) or tree.location, suggestion))
        return Head(name="unnamed")
