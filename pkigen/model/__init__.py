"""The values that travel from the plan to the disk. Plain, frozen, picklable, without behaviour.

Those of the plan go to other processes by the thousand. They have no slots: a frozen dataclass with
slots is pickled in Python, field by field, one without in C.
"""

from pkigen.model.certificates import (
    Attribute,
    CertificatePlan,
    Edit,
    Extension,
    KeyIdentifier,
    Name,
    Signature,
    Surgery,
)
from pkigen.model.entities import (
    Alteration,
    Brought,
    Entity,
    Fault,
    File,
    Issued,
    Output,
    Role,
    Serving,
)
from pkigen.model.revocation import (
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
    "Alteration",
    "Attribute",
    "Brought",
    "CertificatePlan",
    "CrlEntry",
    "CrlForm",
    "CrlPart",
    "CrlPlan",
    "Edit",
    "Entity",
    "Extension",
    "Fault",
    "File",
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
    "Surgery",
]
