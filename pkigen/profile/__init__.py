"""The profile: the YAML document that describes an environment."""

from pkigen.documents.fields import OMIT, Omit
from pkigen.profile.extension_fields import (
    AccessLocations,
    DistributionPoint,
    DistributionPoints,
    ExtendedKeyUsage,
    GeneralName,
    GeneralNames,
    NameConstraints,
)
from pkigen.profile.loader import load
from pkigen.profile.policy_fields import InhibitAnyPolicy, Policies, PolicyConstraints, PolicyMappings
from pkigen.profile.profile import Profile
from pkigen.profile.specifications import (
    SELF,
    AuthoritySpec,
    CertificateSpec,
    ImportedCASpec,
    alternative_names,
)

__all__ = [
    "OMIT",
    "SELF",
    "AccessLocations",
    "AuthoritySpec",
    "CertificateSpec",
    "DistributionPoint",
    "DistributionPoints",
    "ExtendedKeyUsage",
    "GeneralName",
    "GeneralNames",
    "ImportedCASpec",
    "InhibitAnyPolicy",
    "NameConstraints",
    "Omit",
    "Policies",
    "PolicyConstraints",
    "PolicyMappings",
    "Profile",
    "alternative_names",
    "load",
]
