"""OpenSSL's numbers: each has one rule, the right one by OpenSSL's own text, and words."""

from __future__ import annotations

import pytest
from OpenSSL._util import ffi, lib

from pkigen.inspection.path import problems
from pkigen.inspection.path.problems import problem_of_code

# Each number of OpenSSL 3's x509_vfy.h that has a rule, and a part of the text that proves the number.
_EXPECTED = {
    2: ("no-issuer", "unable to get issuer"),
    3: ("crl-missing", "unable to get certificate CRL"),
    4: ("bad-signature", "decrypt certificate's signature"),
    5: ("crl-bad-signature", "decrypt CRL's signature"),
    6: ("malformed", "decode issuer public key"),
    7: ("bad-signature", "certificate signature failure"),
    8: ("crl-bad-signature", "CRL signature failure"),
    9: ("not-yet-valid", "certificate is not yet valid"),
    10: ("expired", "certificate has expired"),
    11: ("crl-not-yet-valid", "CRL is not yet valid"),
    12: ("crl-stale", "CRL has expired"),
    13: ("malformed", "notBefore"),
    14: ("malformed", "notAfter"),
    15: ("malformed", "lastUpdate"),
    16: ("malformed", "nextUpdate"),
    18: ("untrusted-root", "self-signed certificate"),
    19: ("untrusted-root", "in certificate chain"),
    20: ("no-issuer", "local issuer"),
    21: ("no-issuer", "first certificate"),
    23: ("revoked", "revoked"),
    24: ("malformed", "have a public key"),
    25: ("path-length", "path length constraint"),
    26: ("purpose", "purpose"),
    27: ("untrusted-root", "not trusted"),
    28: ("purpose", "rejected"),
    29: ("no-issuer", "subject issuer mismatch"),
    30: ("no-issuer", "key identifier mismatch"),
    31: ("no-issuer", "serial number mismatch"),
    32: ("not-a-ca", "certificate signing"),
    33: ("crl-missing", "CRL issuer"),
    34: ("unhandled-critical", "critical extension"),
    35: ("crl-bad-signature", "CRL signing"),
    36: ("unhandled-critical", "critical CRL extension"),
    41: ("malformed", "certificate extension"),
    42: ("policy", "policy extension"),
    43: ("policy", "explicit policy"),
    44: ("crl-missing", "scope"),
    45: ("crl-missing", "unsupported extension feature"),
    47: ("name-constraint", "permitted subtree"),
    48: ("name-constraint", "excluded subtree"),
    49: ("name-constraint", "minimum and maximum"),
    51: ("name-constraint", "constraint type"),
    52: ("name-constraint", "constraint syntax"),
    53: ("name-constraint", "name syntax"),
    54: ("crl-missing", "CRL path"),
    66: ("weak-key", "EE certificate key too weak"),
    67: ("weak-key", "CA certificate key too weak"),
    68: ("weak-key", "digest"),
    76: ("bad-signature", "signature algorithm"),
    77: ("bad-signature", "algorithm mismatch"),
    78: ("bad-signature", "signature algorithm mismatch"),
    79: ("not-a-ca", "invalid CA"),
}
_LAST = 120
"""Above all numbers of OpenSSL 4."""


def text_of(code: int) -> str:
    """OpenSSL's own words."""
    return ffi.string(lib.X509_verify_cert_error_string(code)).decode()  # type: ignore[no-any-return]


def test_no_error_number_is_in_two_rules() -> None:
    numbers = [code for _, _, codes in problems._RULES.values() for code in codes]
    assert sorted(numbers) == sorted(set(numbers))
    assert set(problems._MESSAGES) <= set(numbers)


@pytest.mark.parametrize("code", range(1, _LAST))
def test_an_error_number_has_the_rule_of_openssls_text_or_that_text(code: int) -> None:
    text = text_of(code)
    problem = problem_of_code(code, text, 0, None)
    rule, part = _EXPECTED.get(code, ("other", text))
    assert part in text
    assert (problem.rule, problem.code, problem.depth) == (rule, code, 0)
    assert problem.message
    assert problem.advice.endswith(".")
    assert rule != "other" or text in problem.message


def test_the_bindings_have_the_same_names_for_error_numbers() -> None:
    named = {name: getattr(lib, name) for name in dir(lib) if name.startswith("X509_V_ERR_")}
    assert named["X509_V_ERR_INVALID_CA"] == 79
    assert named["X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION"] == 36
    assert named["X509_V_ERR_CRL_HAS_EXPIRED"] == 12
    assert named["X509_V_ERR_CERT_REVOKED"] == 23


@pytest.mark.parametrize("code", sorted(_EXPECTED))
def test_messages_state_the_problem(code: int) -> None:
    problem = problem_of_code(code, text_of(code), 1, None)
    assert problem.message.startswith("A certificate of the path ")
    assert not problem.message.endswith(".")
    assert "and is none" not in problem.message
