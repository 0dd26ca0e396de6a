"""CRL distribution points (RFC 5280, 4.2.1.13): the URLs of the CRL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put, value_of
from pkigen.cases.urls import with_urls
from pkigen.keys.verify import may_be_self_signed
from pkigen.model import Entity
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import (
    Outcome,
    failed,
    not_applicable,
    pass_or_fail,
)
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate

Scheme = Literal["http", "https", "ldap", "ldaps", "ftp"]
_OTHER_SUFFIX = ".der"
_PORTS = {"http": 80, "https": 443, "ldap": 389, "ldaps": 636, "ftp": 21}


@demand
class CrlDistributionPoint(Demand):
    """The CRL distribution points: present, with URLs of certain schemes, ports and suffixes.

    Each URL must have one of ``schemes`` and ``ports``. The path of at least one URL must end in one of
    ``suffixes``. ``complete``: each point has a name or a CRL issuer. ``exactly`` and ``maximum`` are numbers
    of points.
    """

    kind: ClassVar[str] = "crl_distribution_point"
    field: ClassVar[str | None] = oids.CRL_DISTRIBUTION_POINTS
    blame: ClassVar[tuple[str, ...]] = ("crl_distribution_points",)

    required: bool = False
    critical: bool | None = None
    schemes: tuple[Scheme, ...] = ()
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    suffixes: tuple[str, ...] = ()
    complete: bool = False
    exactly: Annotated[int, Field(ge=1, le=100)] | None = None
    maximum: Annotated[int, Field(ge=1, le=100)] | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> CrlDistributionPoint:
        if not self.model_fields_set:
            fields = ", ".join(type(self).model_fields)
            raise ValueError(f"no condition given; set at least one of {fields}")
        if self.exactly is not None and self.maximum is not None:
            raise ValueError("specify only one of exactly and maximum")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check presence first; a missing extension violates only ``required``."""
        if may_be_self_signed(certificate) and subject.authority:
            return not_applicable("a root is not listed in any CRL")
        extension = certificate.extensions.raw(oids.CRL_DISTRIBUTION_POINTS)
        points = certificate.extensions.crl_distribution_points
        urls = subject.crl_urls
        if extension is None or (self.required and not points):
            return (
                failed("no CRL distribution point", "a URL to a CRL")
                if self.required
                else not_applicable("there is no CRL distribution point")
            )
        if self.critical is not None and extension.critical is not self.critical:
            return failed("critical" if extension.critical else "not critical", _critical(self.critical))
        count, most = len(points or ()), self.exactly or self.maximum
        if most is not None and (count > most or (self.exactly is not None and count < most)):
            return failed(f"{count} points", f"{'exactly' if self.exactly else 'at most'} {most}")
        names = [one.names or one.relative_rdn or one.crl_issuer for one in points or ()]
        if self.complete and not all(names):
            return failed("a point without a name and a CRL issuer", "a name or a CRL issuer in each point")
        if not urls:
            return pass_or_fail(not self.required, "no URL", "a URL to a CRL")
        return pass_or_fail(self._hold(urls), ", ".join(urls), self._expected())

    def _hold(self, urls: tuple[str, ...]) -> bool:
        parts = [(urlsplit(url), url) for url in urls if _is_readable(url)]
        return (
            len(parts) == len(urls)
            and all(not self.schemes or split.scheme.lower() in self.schemes for split, _ in parts)
            and all(
                not self.ports or (split.port or _PORTS.get(split.scheme)) in self.ports for split, _ in parts
            )
            and (not self.suffixes or any(split.path.lower().endswith(self.suffixes) for split, _ in parts))
        )

    def _expected(self) -> str:
        parts = [
            f"a URL with {' or '.join(self.schemes)}" if self.schemes else "",
            f"port {' or '.join(map(str, self.ports))}" if self.ports else "",
            f"ending in {' or '.join(self.suffixes)}" if self.suffixes else "",
        ]
        return ", ".join(filter(None, parts)) or "a URL to a CRL"

    def violations(self) -> Iterator[Violation]:
        """Missing, another scheme, another port, another suffix, incomplete, critical."""
        oid = oids.CRL_DISTRIBUTION_POINTS
        if self.required:
            words = "The certificate has no CRL distribution point."
            yield Violation("missing", words, lambda case: case.without_extension(oid))
        for scheme in ("https", "ldap") if self.schemes else ():
            if scheme not in self.schemes:
                change = partial(_scheme, scheme)
                yield Violation(
                    scheme, f"The CRL distribution point is a URL with {scheme}.", partial(_rewritten, change)
                )
        if self.ports:
            port = next(number for number in (8081, 8082, 8083, 8084) if number not in self.ports)
            words = f"The CRL distribution point is a URL with port {port}."
            yield Violation("port", words, partial(_rewritten, partial(_port, port)))
        if self.suffixes:
            words = f"The URL of the CRL distribution point does not end in {' or '.join(self.suffixes)}."
            yield Violation("suffix", words, _under_another_suffix)
        if (most := self.exactly or self.maximum) is not None:
            says = f"The certificate has {most + 1} CRL distribution points."
            yield Violation("too-many", says, partial(_with_points, most + 1))
        if self.complete:
            says = "The CRL distribution point consists only of reasons."
            value = der.sequence(der.sequence(der.tlv(0x81, b"\x06\x40")))
            yield Violation("incomplete", says, partial(put, oid=oid, value=value))
        if self.critical is False:
            yield Violation("critical", "The CRL distribution points are critical.", _made_critical)


def _with_points(count: int, case: Case) -> Case:
    """Repeat the first point until there are ``count``."""
    extension = case.extension(oids.CRL_DISTRIBUTION_POINTS)
    if extension is None:
        raise Impossible("the certificate has no CRL distribution point")
    first = der.children(value_of(case, oids.CRL_DISTRIBUTION_POINTS))[0]
    return case.with_extension(replace(extension, value=der.sequence(*[first] * count)))


def _is_readable(url: str) -> bool:
    try:
        return urlsplit(url).port is None or True
    except ValueError:
        return False


def _critical(critical: bool) -> str:
    return "critical" if critical else "not critical"


def _scheme(scheme: str, url: str) -> str:
    return f"{scheme}://{url.partition('://')[2]}"


def _port(port: int, url: str) -> str:
    split = urlsplit(url)
    host = f"[{split.hostname}]" if split.hostname and ":" in split.hostname else split.hostname
    return split._replace(netloc=f"{host}:{port}").geturl()


def _under_another_suffix(case: Case) -> Case:
    """Return the case with an issuing CA of its own that publishes its CRL under another name."""
    changed = case.change_authority(0, _publishing_der)
    return _rewritten(_as_der, changed)


def _publishing_der(entity: Entity) -> Entity:
    if entity.crl is None:
        raise Impossible(f"the authority '{entity.name}' publishes no CRL")
    return replace(entity, crl=replace(entity.crl, url=_as_der(entity.crl.url), suffix=_OTHER_SUFFIX))


def _as_der(url: str) -> str:
    return url.removesuffix(".crl") + _OTHER_SUFFIX


def _rewritten(change: Callable[[str], str], case: Case) -> Case:
    extension = case.extension(oids.CRL_DISTRIBUTION_POINTS)
    if extension is None or not isinstance(extension.value, bytes):
        raise Impossible("the certificate has no CRL distribution point")
    return case.with_extension(replace(extension, value=with_urls(extension.value, change)))


def _made_critical(case: Case) -> Case:
    extension = case.extension(oids.CRL_DISTRIBUTION_POINTS)
    if extension is None:
        raise Impossible("the certificate has no CRL distribution point")
    return case.with_extension(replace(extension, critical=True))
