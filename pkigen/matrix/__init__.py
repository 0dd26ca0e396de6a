"""The matrix: validators that share no code with pkigen or each other, and what they say of cases."""

from pkigen.matrix import reports
from pkigen.matrix.cases import Subject, cases_of, subjects_of
from pkigen.matrix.known_differences import Known, known_differences
from pkigen.matrix.limbo import subjects_of_limbo
from pkigen.matrix.runner import (
    Cell,
    Column,
    Matrix,
    survey,
)
from pkigen.matrix.validator import PARTS, SIGHTS, Answer, MatrixCase, Part, Sight, Validator
from pkigen.matrix.validators.gnutls import GnuTLS
from pkigen.matrix.validators.golang import Go
from pkigen.matrix.validators.java import BOUNCY_CASTLE, CRLDP, SUN
from pkigen.matrix.validators.java import OCSP as JAVA_OCSP
from pkigen.matrix.validators.libraries import BEARSSL, BOTAN, HEIMDAL, MBEDTLS, NSS
from pkigen.matrix.validators.openssl import DEFAULT, STRICT
from pkigen.matrix.validators.openssl_ocsp import OpenSSLOcsp
from pkigen.matrix.validators.pyca import Pyca
from pkigen.matrix.validators.webpki import Webpki

VALIDATORS: tuple[Validator, ...] = (
    DEFAULT,
    STRICT,
    GnuTLS(),
    NSS,
    HEIMDAL,
    Go(),
    Pyca(),
    MBEDTLS,
    BOTAN,
    BEARSSL,
    Webpki(),
    SUN,
    BOUNCY_CASTLE,
    CRLDP,
    JAVA_OCSP,
    OpenSSLOcsp(),
)
"""The columns in their order."""

__all__ = [
    "PARTS",
    "SIGHTS",
    "VALIDATORS",
    "Answer",
    "Cell",
    "Column",
    "Known",
    "Matrix",
    "MatrixCase",
    "Part",
    "Sight",
    "Subject",
    "Validator",
    "cases_of",
    "known_differences",
    "reports",
    "subjects_of",
    "subjects_of_limbo",
    "survey",
]
