"""The extensions of a certificate: the requested ones, and the defaults.

The defaults suit an OT lab: critical basic constraints and key usage, serverAuth and clientAuth, the common
name as a subject alternative name, both key identifiers and a CRL distribution point below the profile's
``base_url``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from operator import is_, itemgetter
from typing import Any, TypeVar

from pkigen.asn1 import der, oids
from pkigen.model import Extension, KeyIdentifier
from pkigen.plan import extensions as encode
from pkigen.profile import (
    AccessLocations,
    AuthoritySpec,
    CertificateSpec,
    ExtendedKeyUsage,
    GeneralNames,
    Omit,
    alternative_names,
)
from pkigen.x509.timestamps import BEGINNING

Field = TypeVar("Field")

_SUBJECT_KEY = Extension(oids.SUBJECT_KEY_IDENTIFIER, False, KeyIdentifier.SUBJECT)
_ISSUER_KEY = Extension(oids.AUTHORITY_KEY_IDENTIFIER, False, KeyIdentifier.ISSUER)
_SAN = 3
"""Number of extensions written before the subject alternative name."""
_PER_CERTIFICATE = {"name", "subject", "san", "extensions"}
"""Fields that usually differ within a range. ``_typed`` must not read them."""
_CA_USAGES = ("keyCertSign", "cRLSign")
_SIGNING_PURPOSES = frozenset({"clientAuth", "codeSigning", "timeStamping", "OCSPSigning"})
"""The purposes for which RFC 5280, 4.2.1.12, does not list keyEncipherment."""
_SERVER_AND_CLIENT = encode.extended_key_usage(("serverAuth", "clientAuth"), False)


@dataclass(frozen=True, slots=True)
class Setting:
    """Inputs of the defaults other than the certificate's own fields.

    ``issuer`` is the signing authority's name, None when self-signed; ``encipherment`` is true if the key
    can encipher keys (RSA). ``points`` and ``freshest`` are the issuer's CRL URLs, ``ocsp`` is the URL of
    its OCSP responder, if the profile configures one. ``clock`` is the time of the build.
    """

    issuer: str | None
    base_url: str
    encipherment: bool
    ca: bool
    points: Extension | None = None
    freshest: Extension | None = None
    ocsp: str = ""
    clock: datetime = BEGINNING


def crl_url(base_url: str, authority: str) -> str:
    """Return the URL of an authority's CRL."""
    return f"{base_url}/crl/{authority}.crl"


def ocsp_url(base_url: str) -> str:
    """Return the URL of the OCSP responder for all certificates of an environment."""
    return f"{base_url}/ocsp"


def ca_url(base_url: str, authority: str) -> str:
    """Return the URL of an authority's certificate."""
    return f"{base_url}/ca/{authority}.crt"


class Extensions:
    """Encodes the extensions of specifications, one after the other.

    The members of a range share the same object for every field without a template, so extensions that
    depend only on these fields are encoded once.
    """

    def __init__(self) -> None:
        self._last: tuple[AuthoritySpec | CertificateSpec, Setting] | None = None
        self._shared: tuple[Extension | None, ...] = ()
        self._last_names: tuple[object, bool, Extension | None] | None = None

    def __call__(self, spec: AuthoritySpec | CertificateSpec, setting: Setting) -> tuple[Extension, ...]:
        """Return all extensions of a certificate in encoded order; raw extensions replace defaults."""
        if self._last is None or setting != self._last[1] or not _share(spec, self._last[0]):
            self._shared = tuple(_typed(spec, setting))
            self._last = spec, setting
        san = self._alternative_names(spec, setting)
        typed = [
            extension
            for extension in (*self._shared[:_SAN], san, *self._shared[_SAN:])
            if extension is not None
        ]
        if not spec.extensions:
            return tuple(typed)
        raw = {field.oid: Extension(field.oid, field.critical, field.der) for field in spec.extensions}
        return (*(extension for extension in typed if extension.oid not in raw), *raw.values())

    def _alternative_names(self, spec: AuthoritySpec | CertificateSpec, setting: Setting) -> Extension | None:
        """Return the subject alternative names; members of a range can share a list of thousands."""
        if spec.san is None:
            return _alternative_names(spec, setting)
        no_subject, last = not spec.subject, self._last_names
        if last is None or last[0] is not spec.san or last[1] != no_subject:
            last = self._last_names = spec.san, no_subject, _alternative_names(spec, setting)
        return last[2]


def _share(spec: AuthoritySpec | CertificateSpec, other: AuthoritySpec | CertificateSpec) -> bool:
    """Return whether ``_typed`` encodes the same extensions for two specifications.

    Compares every field that ``_typed`` could read, so that a new field cannot be forgotten here.
    """
    fields, others = spec.__dict__, other.__dict__
    if fields.keys() != others.keys():
        return False
    shared = _shared_fields(tuple(fields))
    return all(map(is_, shared(fields), shared(others)))


@cache
def _shared_fields(names: tuple[str, ...]) -> itemgetter[Any]:
    return itemgetter(*(name for name in names if name not in _PER_CERTIFICATE))


def _typed(spec: AuthoritySpec | CertificateSpec, setting: Setting) -> Iterator[Extension | None]:
    """Yield all extensions except the subject alternative name, which differs within a range."""
    if spec.no_rev_avail:  # RFC 9608, 2: no CRL distribution point, no OCSP responder
        setting = replace(setting, points=None, freshest=None, ocsp="")
    issuer, ca = setting.issuer, setting.ca
    path_length = spec.path_length if isinstance(spec, AuthoritySpec) else None
    yield _choose(
        spec.basic_constraints,
        lambda field: encode.basic_constraints(field.ca, field.path_length, field.critical),
        encode.basic_constraints(ca, path_length, True),
    )
    yield _choose(
        spec.key_usage,
        lambda field: encode.key_usage(field.usages, field.critical),
        encode.key_usage(_CA_USAGES if ca else _end_entity_usages(spec, setting), True),
    )
    yield _choose(
        spec.extended_key_usage,
        lambda field: encode.extended_key_usage(field.usages, field.critical),
        None if ca else _SERVER_AND_CLIENT,
    )
    yield _choose(spec.subject_key_identifier, encode.subject_key_identifier, _SUBJECT_KEY)
    yield _choose(
        spec.authority_key_identifier, encode.authority_key_identifier, _ISSUER_KEY if issuer else None
    )
    yield _choose(
        spec.crl_distribution_points,
        partial(encode.distribution_points, oids.CRL_DISTRIBUTION_POINTS),
        setting.points,
    )
    yield _choose(spec.freshest_crl, partial(encode.distribution_points, oids.FRESHEST_CRL), setting.freshest)
    yield _choose(spec.aia, partial(_access, setting), _own_access(setting) if setting.ocsp else None)
    yield _choose(spec.name_constraints, encode.name_constraints, None)
    yield _choose(spec.policies, encode.certificate_policies, None)
    yield _choose(spec.policy_mappings, encode.policy_mappings, None)
    yield _choose(spec.policy_constraints, encode.policy_constraints, None)
    yield _choose(spec.inhibit_any_policy, encode.inhibit_any_policy, None)
    yield encode.tls_feature() if spec.must_staple else None
    yield Extension(oids.OCSP_NO_CHECK, False, der.null()) if spec.ocsp_no_check else None
    yield encode.no_revocation_available() if spec.no_rev_avail else None
    yield _choose(spec.scts, lambda field: encode.signed_certificate_timestamps(field, setting.clock), None)
    yield _choose(spec.windows_sid, encode.security_identifier, None)
    yield _choose(spec.certificate_template, encode.certificate_template, None)
    yield _choose(spec.certificate_template_name, encode.certificate_template_name, None)
    yield _choose(spec.modbus_role, encode.modbus_role, None)


def _choose(
    field: Field | Omit | None,
    encoder: Callable[[Field], Extension],
    default: Extension | None,
) -> Extension | None:
    if field is None:
        return default
    return None if isinstance(field, Omit) else encoder(field)


def _end_entity_usages(spec: AuthoritySpec | CertificateSpec, setting: Setting) -> tuple[str, ...]:
    """Return key usages that are consistent with the extended key usage (RFC 5280, 4.2.1.12)."""
    purposes = spec.extended_key_usage
    only_signs = isinstance(purposes, ExtendedKeyUsage) and _SIGNING_PURPOSES.issuperset(purposes.usages)
    if setting.encipherment and not only_signs:
        return "digitalSignature", "keyEncipherment"
    return ("digitalSignature",)


def _alternative_names(spec: AuthoritySpec | CertificateSpec, setting: Setting) -> Extension | None:
    if setting.ca and spec.san is None:
        return None
    alternatives = alternative_names(spec)
    if not alternatives:
        return None
    requested = spec.san.critical if isinstance(spec.san, GeneralNames) else None
    critical = not spec.subject if requested is None else requested
    return encode.alternative_names(alternatives, critical)


def _own_access(setting: Setting) -> Extension:
    return _access(setting, AccessLocations(auto=True))


def _access(setting: Setting, locations: AccessLocations) -> Extension:
    issuer_urls = [ca_url(setting.base_url, setting.issuer)] if locations.auto and setting.issuer else []
    responder = [setting.ocsp] if locations.auto and setting.ocsp else []
    return encode.authority_information_access(
        [*locations.ca_issuers, *issuer_urls], [*locations.ocsp, *responder]
    )
