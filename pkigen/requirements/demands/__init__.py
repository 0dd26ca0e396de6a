"""The kinds of demand: importing this makes all of them known."""

from pkigen.requirements.demand import KINDS
from pkigen.requirements.demands import (
    access,
    alternative_names,
    certificate_file,
    chain_file,
    crl,
    distribution_points,
    form,
    key_file,
    path,
    public_key,
    signature,
    subject,
    usages,
    validity,
)

__all__ = [
    "KINDS",
    "access",
    "alternative_names",
    "certificate_file",
    "chain_file",
    "crl",
    "distribution_points",
    "form",
    "key_file",
    "path",
    "public_key",
    "signature",
    "subject",
    "usages",
    "validity",
]
