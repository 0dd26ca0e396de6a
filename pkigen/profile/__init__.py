"""The profile: the YAML document that describes an environment."""

from pkigen.documents.fields import OMIT, Omit
from pkigen.profile.crl_fields import AdditionalCrlSpec, CrlEntrySpec, CrlScope
from pkigen.profile.extension_fields import (
    AccessLocations,
    DistributionPoint,
    DistributionPoints,
    ExtendedKeyUsage,
    GeneralNames,
    NameConstraints,
)
from pkigen.profile.loader import load
from pkigen.profile.name_fields import GeneralName
from pkigen.profile.path_tests import PathTest
from pkigen.profile.policy_fields import InhibitAnyPolicy, Policies, PolicyConstraints, PolicyMappings
from pkigen.profile.profile import Profile
from pkigen.profile.specifications import (
    SELF,
    AuthoritySpec,
    CertificateSpec,
    ImportedCASpec,
    alternative_names,
)
from pkigen.profile.vendor_fields import CertificateTemplate, SignedTimestamps

__all__ = [
    "OMIT",
    "SELF",
    "AccessLocations",
    "AdditionalCrlSpec",
    "AuthoritySpec",
    "CertificateSpec",
    "CertificateTemplate",
    "CrlEntrySpec",
    "CrlScope",
    "DistributionPoint",
    "DistributionPoints",
    "ExtendedKeyUsage",
    "GeneralName",
    "GeneralNames",
    "ImportedCASpec",
    "InhibitAnyPolicy",
    "NameConstraints",
    "Omit",
    "PathTest",
    "Policies",
    "PolicyConstraints",
    "PolicyMappings",
    "Profile",
    "SignedTimestamps",
    "alternative_names",
    "load",
]
