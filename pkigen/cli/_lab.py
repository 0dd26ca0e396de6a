"""Selects a running lab, and formats its status for the commands of ``pkigen lab``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pkigen.cli._console import colorize, printable, wrap
from pkigen.errors import InputError, Refused

if TYPE_CHECKING:
    from pkigen.lab.control import RunningLab

_COLORS = {
    "connected": "green",
    "connected without validation": "yellow",
    "halted": "red",
    "no answer": "red",
    "not tried yet": "grey",
}
_ROLES = {"sensor": "sensor", "management console": "console", "secondary console": "secondary"}

Lab = Annotated[
    str | None,
    typer.Argument(
        metavar="ENV", help="Environment of the lab: directory or name (default: the only running lab)."
    ),
]
Out = Annotated[
    Path,
    typer.Option("--out", metavar="DIR", help="Directory that contains the environments (default: out)."),
]


def select_lab(named: str | None, out: Path) -> RunningLab:
    """Return the selected lab. Raise Refused if none is running, InputError if several are."""
    from pkigen.lab.control import find_running_lab, find_running_labs

    if named is not None:
        places = [path for path in (Path(named), out / named) if path.is_dir()]
        running = next(filter(None, map(find_running_lab, places)), None)
        if running is None:
            raise Refused(f"no lab is running in {places[0] if places else out / named}")
        return running
    labs = find_running_labs(out)
    if not labs:
        raise Refused(f"no lab is running in {out}; start one with `pkigen lab up demo`")
    if len(labs) > 1:
        directories = ", ".join(str(lab.folder) for lab in labs)
        raise InputError(f"{len(labs)} labs are running; specify one of {directories}")
    return labs[0]


def select_saved_lab(named: str | None, out: Path) -> Path:
    """Return the environment of a lab, running or not, by directory or name, or the only one in ``out``."""
    from pkigen.lab.state import FOLDER

    if named is not None:
        places = [path for path in (Path(named), out / named) if (path / FOLDER).is_dir()]
        if not places:
            raise InputError(f"no lab was started in {named} or {out / named}")
        return places[0]
    labs = [path.parent.parent for path in sorted(out.glob(f"*/{FOLDER}"))]
    if len(labs) != 1:
        names = ", ".join(map(str, labs)) or "none"
        raise InputError(f"specify the environment of the lab; {out} contains: {names}")
    return labs[0]


def silence_web_server() -> None:
    """Suppress the web server's log messages about invalid requests and about its shutdown."""
    for name in ("python_multipart", "uvicorn"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_is_relevant)


def _is_relevant(record: logging.LogRecord) -> bool:
    """Drop uvicorn's message about cancelled requests, which it logs even if there are none."""
    return "timeout graceful shutdown" not in str(record.msg)


def format_status(status: dict[str, Any]) -> list[str]:
    """Return the status of a lab as lines of at most 80 columns."""
    appliances = status["appliances"]
    names = [one["name"] for one in (*appliances, *status["receivers"])]
    width = min(30, max(map(len, names)))
    lines = [f"{one['name']:{width}}  {_ROLES[one['role']]:9}  {one['url']}" for one in appliances]
    lines += [f"{one['name']:{width}}  {one['kind']:9}  {one['url']}" for one in status["receivers"]]
    server = status["crl_server"]
    stopped = "  stopped" if server["stopped"] else ""
    lines.append(f"{'CRL server':{width}}  {'':9}  {server['url']}{stopped}")
    if status["proxy"]:
        lines.append(f"{'proxy':{width}}  {'':9}  {status['proxy']}")
    lines += ["", f"User name {status['user']}, password {status['password']}"]
    lines += ["Or sign in with this link, once and within ten minutes:", f"  {status['sign_in']}"]
    lines.append(f"Lab time: {status['clock']}")
    return list(map(printable, lines))


def format_connections(status: dict[str, Any]) -> list[str]:
    """Return the state of each connection, the causes, and what to do."""
    lines = []
    for one in status["connections"]:
        state = colorize(one["state"], _COLORS[one["state"]])
        lines.append(printable(f"{one['from']} -> {one['to']}: ") + state + _queued(one["queued"]))
        if one["state"] != "connected":
            lines.append(wrap(f"    {one['summary']}", 4))
        lines += [wrap(f"    {cause['certificate']}: {cause['message']}", 4) for cause in one["causes"]]
        advice = dict.fromkeys(cause["advice"] for cause in one["causes"])
        lines += [wrap(f"    What to do: {words}", 4) for words in advice]
    return lines


def _queued(count: int) -> str:
    return f", {count} {'alert' if count == 1 else 'alerts'} queued" if count else ""
