"""The profile: the YAML document that says what an environment is."""

from pkigen.profile.asked import OMIT, Omit
from pkigen.profile.document import SELF, AuthoritySpec, BroughtSpec, CertificateSpec
from pkigen.profile.loading import load
from pkigen.profile.profile import Profile
from pkigen.profile.values import (
    AccessLocations,
    DistributionPoint,
    DistributionPoints,
    GeneralName,
    GeneralNames,
    InhibitAnyPolicy,
    NameConstraints,
    Policies,
    PolicyConstraints,
    PolicyMappings,
)

__all__ = [
    "OMIT",
    "SELF",
    "AccessLocations",
    "AuthoritySpec",
    "BroughtSpec",
    "CertificateSpec",
    "DistributionPoint",
    "DistributionPoints",
    "GeneralName",
    "GeneralNames",
    "InhibitAnyPolicy",
    "NameConstraints",
    "Omit",
    "Policies",
    "PolicyConstraints",
    "PolicyMappings",
    "Profile",
    "load",
]
