"""``pkigen verify``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pkigen.cli._console import (
    colorize,
    print_json,
    print_line,
    print_message,
    printable,
    wrap,
)
from pkigen.cli._environments import find_environment
from pkigen.cli._options import (
    EvaluationTime,
    Json,
    PassphraseFiles,
    parse_time,
)
from pkigen.cli._path_tests import run_path_tests
from pkigen.cli._progress import elapsed_time
from pkigen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkigen.inspection.path import PathResult
    from pkigen.inspection.path.verify import UnusedInput, VerifiedCertificate
    from pkigen.x509 import Certificate

_Files = list[Path] | None
_VERDICTS = {"accepted": "accepted", "refused": "refused", "undecided": "cannot say"}
_MAX_UNUSED = 10

HELP_ORDER = 110


def verify(
    certificate: Annotated[
        Path,
        typer.Argument(
            metavar="CERT",
            help="Certificate file in any format, or a built environment with path tests.",
            callback=find_environment,
        ),
    ],
    chain: Annotated[
        _Files, typer.Option("--chain", metavar="FILE", help="File with CA certificates; may be repeated.")
    ] = None,
    trust: Annotated[
        _Files,
        typer.Option(
            "--trust",
            metavar="FILE",
            help="File with trust anchors; may be repeated (default: self-signed certificates in the files).",
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", metavar="HOST", help="DNS name or IP address that the certificate must contain."
        ),
    ] = None,
    at: EvaluationTime = None,
    crl: Annotated[
        _Files, typer.Option("--crl", metavar="FILE", help="File with CRLs; may be repeated.")
    ] = None,
    fetch_crl: Annotated[
        bool,
        typer.Option("--fetch-crl", help="Download CRLs from the distribution points in the certificates."),
    ] = False,
    online: Annotated[
        bool,
        typer.Option("--online", help="Download missing CA certificates from the URLs in the certificates."),
    ] = False,
    proxy: Annotated[
        str | None, typer.Option("--proxy", metavar="URL", help="HTTP proxy for --fetch-crl and --online.")
    ] = None,
    purpose: Annotated[
        Literal["server", "client", "any"],
        typer.Option("--purpose", help="Purpose that the certificate must be valid for."),
    ] = "any",
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            metavar="OID",
            help="Acceptable certificate policy; may be repeated (default: any policy).",
        ),
    ] = None,
    require_explicit_policy: Annotated[
        bool,
        typer.Option("--require-explicit-policy", help="Require a policy that every certificate asserts."),
    ] = False,
    inhibit_mapping: Annotated[
        bool, typer.Option("--inhibit-mapping", help="Ignore policy mappings of CAs.")
    ] = False,
    inhibit_any_policy: Annotated[
        bool, typer.Option("--inhibit-any-policy", help="Do not let anyPolicy match other policies.")
    ] = False,
    reject_sha1: Annotated[
        bool, typer.Option("--reject-sha1", help="Reject certificates that are signed with SHA-1.")
    ] = False,
    passphrase_file: PassphraseFiles = None,
    json: Json = False,
) -> None:
    """Validate a certification path, and report why it is invalid.

    OpenSSL validates the path, as in appliances; if it rejects the one that it builds, the other
    paths to a trust anchor are tried (RFC 4158). Without --trust, the self-signed
    certificates among the files are trusted. With CRLs, every certificate but the trust anchor
    needs one; delta CRLs and indirect CRLs are applied. The exit code is 1 if the path is refused,
    or if OpenSSL supports an algorithm of it too little to decide ("cannot say"). For an environment
    whose profile has path_tests, the command runs these, and the exit code is 1 if a verdict is wrong.

    \b
    Examples:
      pkigen verify sensor.crt --chain chain.pem --host sensor.contoso.test
      pkigen verify sensor.pfx --passphrase-file pass.txt --fetch-crl
    """
    from pkigen.inspection.artifacts import read_passphrase
    from pkigen.inspection.path import PolicyOptions, policy_oids
    from pkigen.inspection.path.verify import Verification, verify

    instant = parse_time(at) or datetime.now(UTC)
    if (certificate / "manifest.json").is_file():
        run_path_tests(certificate, instant, json=json)
        return
    if crl and fetch_crl:
        raise InputError("--crl and --fetch-crl exclude each other")
    verification = Verification(
        certificate,
        instant,
        chain=tuple(chain or ()),
        trust=tuple(trust or ()),
        crls=tuple(crl or ()),
        fetch_crls=fetch_crl,
        online=online,
        proxy=proxy,
        host=host,
        purpose=purpose,
        policy=PolicyOptions(
            policy_oids(policy or ()), require_explicit_policy, inhibit_mapping, inhibit_any_policy
        ),
        reject_sha1=reject_sha1,
        passphrases=tuple(map(read_passphrase, passphrase_file or ())),
    )
    with elapsed_time("verifying"):
        verified = verify(verification)
    for note in verified.notes:
        print_message(wrap(f"Note: {note}", 6))
    if json:
        print_json(_as_json(verified))
    else:
        _print_result(verified.result, verified.unused)
    if not verified.result.ok:
        raise typer.Exit(1)


def _print_result(result: PathResult, unused: Sequence[UnusedInput]) -> None:
    """Print the path, its problems, and in the last line the verdict."""
    for depth, certificate in enumerate(result.path):
        print_line(wrap(f"{'  ' * min(depth, 8)}{_line(certificate)}", 2 * min(depth, 8) + 2))
    _print_unused(unused)
    for problem in result.problems:
        print_line(wrap(f"  {problem.message}.", 4))
        print_line(wrap(f"    {problem.advice}", 4))
    print_line(colorize(_VERDICTS[_verdict(result)], "green" if result.ok else "red"))


def _print_unused(unused: Sequence[UnusedInput]) -> None:
    for one in unused[:_MAX_UNUSED]:
        print_line(wrap(f"not used: {one.source}, {one.kind}: {one.reason}", 2))
    if len(unused) > _MAX_UNUSED:
        print_line(f"not used: {len(unused) - _MAX_UNUSED:,} more; --json lists them all")


def _verdict(result: PathResult) -> str:
    return "accepted" if result.ok else "undecided" if result.undecided else "refused"


def _line(certificate: Certificate) -> str:
    """Return the subject and the end of the validity period."""
    subject, end = _fields(certificate)
    return printable(f"{subject}, until {end}")


def _fields(certificate: Certificate) -> tuple[str, str]:
    from pkigen.asn1 import names
    from pkigen.x509 import Malformed

    try:
        subject = names.text(certificate.subject) or "(empty subject)"
    except Malformed:
        subject = "(a subject that cannot be read)"
    try:
        return subject, f"{certificate.not_after:%Y-%m-%dT%H:%M:%SZ}"
    except Malformed:
        return subject, "(a time that cannot be read)"


def _as_json(verified: VerifiedCertificate) -> dict[str, Any]:
    result = verified.result
    return {
        "accepted": result.ok,
        "verdict": _verdict(result),
        "path": [
            {"subject": subject, "not_after": end, "sha256": certificate.fingerprint().hex()}
            for certificate in result.path
            for subject, end in (_fields(certificate),)
        ],
        "problems": [
            {
                "rule": problem.rule,
                "depth": None if problem.depth < 0 else problem.depth,
                "message": problem.message,
                "advice": problem.advice,
                "openssl": problem.code or None,
            }
            for problem in result.problems
        ],
        "unused": [{"input": one.source, "kind": one.kind, "reason": one.reason} for one in verified.unused],
        "notes": list(verified.notes),
    }
