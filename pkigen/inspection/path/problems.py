"""Problems of certification paths: OpenSSL's error codes, pkigen's rules, messages and advice."""

from __future__ import annotations

from dataclasses import dataclass

from pkigen.asn1 import names
from pkigen.x509 import Certificate, Malformed


@dataclass(frozen=True, slots=True)
class PathProblem:
    """One reason why a certification path is invalid.

    ``rule`` is a stable id. ``depth`` counts upward from the certificate (0); -1 if it is unknown.
    ``code`` is the X509_V_ERR code that OpenSSL has for the problem; 0 if it has none.
    """

    rule: str
    message: str
    advice: str
    depth: int = -1
    code: int = 0


_RULES: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "expired": ("has expired", "Renew the certificate, or verify at another time.", (10,)),
    "not-yet-valid": ("is not valid yet", "Check the clock, or wait until the certificate is valid.", (9,)),
    "no-issuer": (
        "has an issuer whose certificate is missing",
        "Provide the issuer's certificate.",
        (20, 2, 21, 29, 30, 31),
    ),
    "untrusted-root": (
        "leads to a root that is not trusted",
        "Provide its trust anchor.",
        (18, 19, 27),
    ),
    "bad-signature": (
        "has an invalid signature",
        "Get the certificate from its issuer again: it was modified, or another CA has the same name.",
        (7, 4, 76, 77, 78),
    ),
    "not-a-ca": (
        "issued a certificate but is not a CA",
        "Use an issuer with basic constraints CA:TRUE and key usage keyCertSign.",
        (79, 32),
    ),
    "path-length": (
        "has more CAs below it than its path length constraint allows",
        "Increase the path length constraint, or shorten the path.",
        (25,),
    ),
    "revoked": ("is revoked", "Replace the certificate.", (23,)),
    "crl-missing": (
        "has no usable CRL",
        "Provide the issuer's CRL, and verify that its URL is reachable.",
        (3, 33, 44, 45, 54),
    ),
    "crl-stale": ("has an expired CRL", "Get a current CRL.", (12,)),
    "crl-not-yet-valid": ("has a CRL that is not valid yet", "Check the clock, or get another CRL.", (11,)),
    "crl-bad-signature": (
        "has a CRL with an invalid signature",
        "Get the CRL from its issuer again.",
        (8, 5, 35),
    ),
    "purpose": ("is not valid for this purpose", "Check key usage and extended key usage.", (26, 28)),
    "name-constraint": (
        "has a name that violates the name constraints of a CA",
        "Issue the certificate from a CA whose name constraints permit the name.",
        (47, 48, 49, 51, 52, 53),
    ),
    "unhandled-critical": (
        "has a critical extension that is not supported",
        "Issue the certificate without the extension, or mark the extension as not critical.",
        (34, 36),
    ),
    "weak-key": ("has a key or digest that is too weak", "Use a larger key, or SHA-256.", (66, 67, 68)),
    "malformed": (
        "cannot be read",
        "Get the certificate from its issuer again.",
        (41, 6, 13, 14, 15, 16, 24),
    ),
    "unsupported": (
        "has a public key that OpenSSL does not support",
        "Verify the certificate with a program that supports the algorithm.",
        (),
    ),
    "policy": (
        "has no policy that the CAs above it allow",
        "Issue the certificate under a policy of these CAs, or from CAs that do not require one.",
        (43, 42),
    ),
}
"""Rule -> problem, advice, OpenSSL error codes; the problem describes the first code best."""
_MESSAGES: dict[int, tuple[str, str]] = {
    6: ("has a public key that cannot be read", "Use a CA whose key type OpenSSL supports."),
    15: ("has a CRL whose lastUpdate cannot be read", "Get the CRL from its issuer again."),
    16: ("has a CRL whose nextUpdate cannot be read", "Get the CRL from its issuer again."),
    18: ("is self-signed and not trusted", "Provide it as a trust anchor, or get a certificate from a CA."),
    24: ("has no public key", "Get the certificate from its issuer again."),
    32: (
        "issued a certificate without key usage keyCertSign",
        "Use an issuer with key usage keyCertSign.",
    ),
    35: ("has a CRL from a CA whose key usage does not include cRLSign", "Use a CA with key usage cRLSign."),
    36: (
        "has a CRL with a critical extension that is not supported",
        "Get a complete, direct CRL without the extension.",
    ),
    42: ("has an inconsistent policy extension", "Reissue the certificate with valid policies."),
    44: (
        "has only CRLs with a different scope",
        "Provide a CRL whose issuing distribution point covers the certificate.",
    ),
    66: ("has a key that is too short", "Use a larger key."),
    67: ("has a key that is too short", "Use a larger key."),
    68: ("is signed with a digest that is too weak", "Sign with SHA-256."),
}
"""More specific problem and advice for single error codes."""
_INVALID_CA, _NO_CERT_SIGN = 79, 32
_ISSUER_IS_UNKNOWN = (20, 2, 21)
"""Codes for which the message contains the name of the issuer."""
_BY_CODE = {code: rule for rule, (_, _, codes) in _RULES.items() for code in codes}


def problem_of_code(code: int, text: str, depth: int, certificate: Certificate | None) -> PathProblem:
    """Return the problem for an OpenSSL error code; ``text`` is OpenSSL's own message."""
    rule = _BY_CODE.get(code, "other")
    name = describe_certificate(certificate, depth)
    if rule == "other":
        return PathProblem(rule, f"{name}: {text}", "See the OpenSSL documentation.", depth, code)
    # OpenSSL reports a CA without keyCertSign as "invalid CA certificate", too.
    specific = _NO_CERT_SIGN if code == _INVALID_CA and _is_ca(certificate) else code
    if specific in _MESSAGES:
        problem, advice = _MESSAGES[specific]
        return PathProblem(rule, f"{name} {problem}", advice, depth, code)
    detail = "" if code == _RULES[rule][2][0] else text
    if code in _ISSUER_IS_UNKNOWN and certificate is not None:
        detail = _issuer(certificate)
    return problem_of_rule(rule, depth, certificate, detail=detail, code=code)


def _is_ca(certificate: Certificate | None) -> bool:
    """Return whether the basic constraints of a certificate state that it is a CA."""
    try:
        constraints = certificate.extensions.basic_constraints if certificate is not None else None
    except Malformed:
        return False
    return constraints is not None and constraints.ca


def _issuer(certificate: Certificate) -> str:
    try:
        return names.text(certificate.issuer)
    except Malformed:
        return ""


def problem_of_rule(
    rule: str, depth: int, certificate: Certificate | None, *, detail: str = "", code: int = 0
) -> PathProblem:
    """Return the problem of a rule; ``detail`` is appended in parentheses."""
    problem, advice, _ = _RULES[rule]
    more = f" ({detail})" if detail else ""
    return PathProblem(
        rule, f"{describe_certificate(certificate, depth)} {problem}{more}", advice, depth, code
    )


def describe_certificate(certificate: Certificate | None, depth: int) -> str:
    """Return how messages refer to a certificate of the path."""
    if certificate is None:
        return "The path" if depth < 0 else "A certificate of the path"
    try:
        name = names.text(certificate.subject) or "an empty subject"
    except Malformed:
        name = "a subject that cannot be read"
    kind = "certificate" if depth == 0 else "CA"
    return f"The {kind} [{name}]"
