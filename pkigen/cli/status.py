"""``pkigen status``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pkigen.cli._console import colorize, print_json, print_line, printable
from pkigen.cli._options import EnvironmentDirectory, EvaluationTime, Json, parse_period, parse_time
from pkigen.cli._report import quantity

if TYPE_CHECKING:
    from pathlib import Path

    from pkigen.environment.environment import Environment
    from pkigen.environment.status import CertificateStatus, EnvironmentStatus

HELP_ORDER = 42
_MOST_NAMES = 20
_COLORS = {"revoked": "red", "expired": "red", "not-yet-valid": "yellow", "expiring": "yellow"}


def status(
    env: EnvironmentDirectory,
    within: Annotated[
        str, typer.Option("--within", metavar="PERIOD", help="List what expires within this period.")
    ] = "30d",
    at: EvaluationTime = None,
    json: Json = False,
) -> None:
    """Show what an environment contains, and what expires.

    Faulty certificates are counted and not listed: they are wrong on purpose.

    \b
    Examples:
      pkigen status out/defender-iot
      pkigen status out/defender-iot --within 90d
    """
    from datetime import UTC, datetime

    from pkigen.environment.environment import open_environment
    from pkigen.environment.status import environment_status

    environment = open_environment(env)
    now = parse_time(at) or datetime.now(UTC)
    result = environment_status(environment, now, parse_period(within, now, "--within"))
    if json:
        print_json(_as_json(environment, result))
        return
    _print_counts(env, environment, result)
    for label, state in (
        ("Revoked", "revoked"),
        ("Expired", "expired"),
        ("Not valid yet", "not-yet-valid"),
        (f"Expiring within {within}", "expiring"),
    ):
        _print_list(label, state, result.of_state(state))
    print_line()
    print_line(_conclusion(result, within))


def _print_counts(env: Path, environment: Environment, result: EnvironmentStatus) -> None:
    print_line(printable(f"{environment.name} in {env}, built {environment.clock:%Y-%m-%d %H:%M} UTC"))
    counts = [
        ("CAs", result.count("CA")),
        ("certificates", result.count("certificate")),
        ("requested by devices", result.count("requested")),
        ("with a fault, on purpose", result.count("faulty")),
    ]
    for label, number in counts:
        if number:
            print_line(f"  {number:>6}  {label}")
    for fleet in result.fleets:
        parts = [f"{quantity(fleet.count, 'certificate')} in {quantity(fleet.shards, 'shard')}"]
        parts += [f"{fleet.revoked:,} revoked"] if fleet.revoked else []
        parts += [f"{fleet.faulty:,} with a fault"] if fleet.faulty else []
        parts.append(f"{fleet.state} {fleet.detail}" if fleet.detail else f"until {fleet.not_after:%Y-%m-%d}")
        line = printable(f"  fleet {fleet.name}: {', '.join(parts)}")
        print_line(colorize(line, _COLORS[fleet.state]) if fleet.state in _COLORS else line)
    for crl in result.crls:
        word = "was due on" if crl.stale else "valid until"
        line = f"  CRL of {crl.authority}: {word} {crl.next_update:%Y-%m-%d %H:%M} UTC"
        print_line(colorize(printable(line), "red") if crl.stale else printable(line))


def _print_list(label: str, state: str, certificates: Sequence[CertificateStatus]) -> None:
    if not certificates:
        return
    print_line()
    print_line(colorize(f"{label}: {len(certificates)}", _COLORS[state]))
    for one in certificates[:_MOST_NAMES]:
        print_line(printable(f"  {one.name}  {one.detail}"))
    if len(certificates) > _MOST_NAMES:
        print_line(f"  and {len(certificates) - _MOST_NAMES} more; --json lists all")


def _conclusion(result: EnvironmentStatus, within: str) -> str:
    of_fleets = [fleet.state for fleet in result.fleets]
    wrong = len(result.of_state("expired", "not-yet-valid"))
    wrong += of_fleets.count("expired") + of_fleets.count("not-yet-valid")
    stale = sum(crl.stale for crl in result.crls)
    soon = len(result.of_state("expiring"))
    if not wrong and not stale and not soon and "expiring" not in of_fleets:
        return f"Everything is valid, and nothing expires within {within}."
    parts = []
    if wrong:
        parts.append(f"{wrong} not valid now (`pkigen build` reissues what expired)")
    if soon:
        parts.append(f"{soon} to renew (`pkigen renew ENV --expiring {within}`)")
    if "expiring" in of_fleets:
        parts.append("fleets that expire soon (`pkigen renew ENV FLEET` reissues them)")
    if stale:
        parts.append(f"{stale} stale CRLs (`pkigen refresh-crl ENV`)")
    return "; ".join(parts) + "."


def _as_json(environment: Environment, result: EnvironmentStatus) -> dict[str, object]:
    from dataclasses import asdict

    def instant(value: object) -> object:
        return value.isoformat() if hasattr(value, "isoformat") else value

    rows = ({key: instant(value) for key, value in asdict(one).items()} for one in result.certificates)
    crls = ({key: instant(value) for key, value in asdict(one).items()} for one in result.crls)
    fleets = [{key: instant(value) for key, value in asdict(one).items()} for one in result.fleets]
    return {
        "environment": environment.name,
        "clock": environment.clock.isoformat(),
        "certificates": list(rows),
        "crls": list(crls),
        **({"fleets": fleets} if fleets else {}),
    }
