"""Converts the additional CRLs of an authority to the plan: names, scopes and entries in DER."""

from __future__ import annotations

from collections.abc import Mapping

from pkigen.asn1 import names, oids
from pkigen.clock import Moment, Span
from pkigen.model import AdditionalCrl, AdditionalEntry, Extension, Name
from pkigen.plan.extensions import distribution_point_name, distribution_points, general_name
from pkigen.profile import AdditionalCrlSpec, CrlEntrySpec, CrlScope
from pkigen.revocation.crl import certificate_issuer, crl_scope, delta_indicator


def additional_crl(spec: AdditionalCrlSpec, subjects: Mapping[str, Name]) -> AdditionalCrl:
    """Return the plan of an additional CRL; ``subjects`` are those of the authorities, by name."""
    extensions = []
    if spec.base is not None:
        extensions.append(delta_indicator(spec.base))
    if spec.scope is not None:
        extensions.append(_scope(spec.scope))
    if spec.freshest_crl is not None:
        extensions.append(distribution_points(oids.FRESHEST_CRL, spec.freshest_crl))
    extensions += [Extension(raw.oid, raw.critical, raw.der) for raw in spec.extensions]
    return AdditionalCrl(
        spec.name,
        names.name(spec.issuer_name) if spec.issuer_name else (),
        spec.number,
        _text(spec.this_update),
        _text(spec.next_update),
        tuple(_entry(entry, subjects) for entry in spec.entries),
        tuple(extensions),
    )


def _scope(scope: CrlScope) -> Extension:
    name = distribution_point_name(map(general_name, scope.names), scope.relative_name or ())
    return crl_scope(
        name, only=scope.only, reasons=scope.reasons, indirect=scope.indirect, critical=scope.critical
    )


def _entry(spec: CrlEntrySpec, subjects: Mapping[str, Name]) -> AdditionalEntry:
    extensions = [Extension(raw.oid, raw.critical, raw.der) for raw in spec.extensions]
    if spec.issuer is not None:
        extensions.append(certificate_issuer(names.encode(subjects[spec.issuer])))
    return AdditionalEntry(spec.serial, spec.reason, _text(spec.at), tuple(extensions))


def _text(moment: Moment | None) -> str:
    if moment is None:
        return ""
    return moment.text if isinstance(moment, Span) else moment.isoformat()
