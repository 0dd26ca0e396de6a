"""The matrix: validators that share no code with pkigen or each other, and what they say of cases."""

from pkigen.matrix.cases import cases_of
from pkigen.matrix.gnutls import GnuTLS
from pkigen.matrix.golang import Go
from pkigen.matrix.openssl import DEFAULT, STRICT
from pkigen.matrix.pyca import Pyca
from pkigen.matrix.validator import PARTS, Answer, MatrixCase, Part, Validator

VALIDATORS: tuple[Validator, ...] = (DEFAULT, STRICT, GnuTLS(), Go(), Pyca())
"""The columns in their order."""

__all__ = ["PARTS", "VALIDATORS", "Answer", "MatrixCase", "Part", "Validator", "cases_of"]
