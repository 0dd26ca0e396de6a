"""Plain, frozen, picklable values that pass from the plan to the writer; they have no behavior.

A build sends thousands of the plan's values to worker processes. They have no slots: a frozen dataclass
with slots is pickled in Python, field by field, and a dataclass without slots is pickled in C.
"""

from pkigen.model.certificates import (
    Attribute,
    CertificatePlan,
    Edit,
    EditOp,
    Extension,
    KeyIdentifier,
    Name,
    Signature,
)
from pkigen.model.entities import (
    PKCS12_PASSPHRASE,
    Alteration,
    Entity,
    Fault,
    File,
    GivenKey,
    ImportedCA,
    Issued,
    Output,
    Role,
    Serving,
)
from pkigen.model.revocation import (
    REASON_CODES,
    AdditionalCrl,
    AdditionalEntry,
    CrlEntry,
    CrlForm,
    CrlPart,
    CrlPlan,
    OcspForm,
    OcspPlan,
    Responder,
    Responding,
    Revocation,
)

__all__ = [
    "PKCS12_PASSPHRASE",
    "REASON_CODES",
    "AdditionalCrl",
    "AdditionalEntry",
    "Alteration",
    "Attribute",
    "CertificatePlan",
    "CrlEntry",
    "CrlForm",
    "CrlPart",
    "CrlPlan",
    "Edit",
    "EditOp",
    "Entity",
    "Extension",
    "Fault",
    "File",
    "GivenKey",
    "ImportedCA",
    "Issued",
    "KeyIdentifier",
    "Name",
    "OcspForm",
    "OcspPlan",
    "Output",
    "Responder",
    "Responding",
    "Revocation",
    "Role",
    "Serving",
    "Signature",
]
