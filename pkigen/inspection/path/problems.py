"""Why a path is refused: OpenSSL's numbers, our rules, words and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from pkigen.asn1 import names
from pkigen.x509 import Certificate, Malformed


@dataclass(frozen=True, slots=True)
class PathProblem:
    """One reason.

    ``rule`` is a stable id. ``depth`` counts from the certificate (0) up, -1 when it is unknown.
    ``code`` is OpenSSL's X509_V_ERR number, 0 for what OpenSSL is not asked.
    """

    rule: str
    message: str
    advice: str
    depth: int = -1
    code: int = 0


_RULES: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "expired": ("has expired", "Renew it, or verify at another time.", (10,)),
    "not-yet-valid": ("is not valid yet", "Check the clock, or wait.", (9,)),
    "no-issuer": (
        "has an issuer that was not given",
        "Give its issuer's certificate.",
        (20, 2, 21, 29, 30, 31),
    ),
    "untrusted-root": ("ends at a root that is not trusted", "Give the right trust anchor.", (18, 19, 27)),
    "bad-signature": (
        "has a signature that its issuer did not make",
        "Get it again from its issuer: it was altered, or another CA has the same name.",
        (7, 4, 76, 77, 78),
    ),
    "not-a-ca": (
        "has issued a certificate and is not a CA",
        "Issue from a CA: basic constraints CA:TRUE, key usage keyCertSign.",
        (79, 32),
    ),
    "path-length": (
        "has more CAs below it than it allows",
        "Issue from a CA that allows it, or shorten the path.",
        (25,),
    ),
    "revoked": ("is revoked", "Replace it.", (23,)),
    "crl-missing": (
        "has no CRL that was given",
        "Give the CRL of its issuer; verify that its URL can be reached.",
        (3, 33, 44, 45, 54),
    ),
    "crl-stale": ("has a CRL that has ended", "Get a fresh CRL.", (12,)),
    "crl-not-yet-valid": ("has a CRL that is not valid yet", "Check the clock, or get another CRL.", (11,)),
    "crl-bad-signature": (
        "has a CRL that its issuer did not sign",
        "Get the CRL again from its issuer.",
        (8, 5, 35),
    ),
    "purpose": ("is not for this purpose", "Check key usage and extended key usage.", (26, 28)),
    "name-constraint": (
        "has a name that a CA above it does not allow",
        "Issue it from a CA whose name constraints allow the name.",
        (47, 48, 49, 51, 52, 53),
    ),
    "unhandled-critical": (
        "has a critical extension that is not understood",
        "Issue it without the extension, or not critical.",
        (34, 36),
    ),
    "weak-key": ("has a key or a digest that is too weak", "Use a larger key, or SHA-256.", (66, 67, 68)),
    "malformed": ("cannot be read", "Get it again from where it came.", (41, 6, 13, 14, 15, 16, 24)),
    "policy": (
        "has policies that the CAs above it do not allow",
        "Issue it under a policy that they have, or from CAs that do not demand one.",
        (43, 42),
    ),
}
"""Rule -> what is the matter, what to do, OpenSSL's numbers; the words fit the first number best."""
_WORDS: dict[int, tuple[str, str]] = {
    6: ("has a public key that cannot be read", "Use a CA whose key OpenSSL knows."),
    15: ("has a CRL whose lastUpdate cannot be read", "Get the CRL again from its issuer."),
    16: ("has a CRL whose nextUpdate cannot be read", "Get the CRL again from its issuer."),
    18: ("is self-signed and not trusted", "Give it as a trust anchor, or get one from a CA."),
    24: ("has no public key", "Get it again from where it came."),
    32: ("has issued a certificate, which its key usage forbids", "Issue from a CA that has keyCertSign."),
    35: ("has a CRL by a CA that may not sign CRLs", "Use a CA that has the key usage cRLSign."),
    36: (
        "has a CRL with a critical extension that is not understood",
        "Get a CRL without the extension, complete and direct.",
    ),
    42: ("has a policy extension that contradicts itself", "Issue it anew, with sound policies."),
    44: (
        "has only CRLs of another scope",
        "Give a CRL whose issuing distribution point covers the certificate.",
    ),
    66: ("has a key that is too short", "Use a larger key."),
    67: ("has a key that is too short", "Use a larger key."),
    68: ("is signed with a digest that is too weak", "Sign with SHA-256."),
}
"""Better words for single numbers."""
_BY_CODE = {code: rule for rule, (_, _, codes) in _RULES.items() for code in codes}


def problem_of_code(code: int, text: str, depth: int, certificate: Certificate | None) -> PathProblem:
    """What OpenSSL says, in words; its own text where there are none."""
    rule = _BY_CODE.get(code, "other")
    who = describe_certificate(certificate, depth)
    if rule == "other":
        return PathProblem(rule, f"{who}: {text}", "See what OpenSSL says.", depth, code)
    if code in _WORDS:
        words, advice = _WORDS[code]
        return PathProblem(rule, f"{who} {words}", advice, depth, code)
    detail = "" if code == _RULES[rule][2][0] else text
    return problem_of_rule(rule, depth, certificate, detail=detail, code=code)


def problem_of_rule(
    rule: str, depth: int, certificate: Certificate | None, *, detail: str = "", code: int = 0
) -> PathProblem:
    """A reason by its rule; ``detail`` is added in brackets."""
    words, advice, _ = _RULES[rule]
    more = f" ({detail})" if detail else ""
    return PathProblem(rule, f"{describe_certificate(certificate, depth)} {words}{more}", advice, depth, code)


def describe_certificate(certificate: Certificate | None, depth: int) -> str:
    """A certificate of the path for people."""
    if certificate is None:
        return "The path" if depth < 0 else "A certificate of the path"
    try:
        name = names.text(certificate.subject) or "an empty subject"
    except Malformed:
        name = "a subject that cannot be read"
    what = "The certificate" if depth == 0 else "The CA"
    return f"{what} [{name}]"
