"""What the commands of ``pkigen lab`` share: which lab is meant, and how it is shown."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pkigen.cli._console import colorize, printable, wrap
from pkigen.errors import InputError, Refused

if TYPE_CHECKING:
    from pkigen.lab.control import RunningLab

_COLOURS = {
    "connected": "green",
    "connected without validation": "yellow",
    "halted": "red",
    "no answer": "red",
    "not tried yet": "grey",
}
_ROLES = {"sensor": "sensor", "management console": "console", "secondary console": "secondary"}

Lab = Annotated[
    str | None,
    typer.Argument(metavar="ENV", help="The lab's environment or its name; if not said, the one that is up."),
]
Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The folder that environments are in.")]


def select_lab(named: str | None, out: Path) -> RunningLab:
    """The lab that is meant; Refused when none is up, InputError when it is not clear which."""
    from pkigen.lab.control import find_running_lab, find_running_labs

    if named is not None:
        places = [path for path in (Path(named), out / named) if path.is_dir()]
        found = next(filter(None, map(find_running_lab, places)), None)
        if found is None:
            raise Refused(f"no lab is up in {places[0] if places else out / named}")
        return found
    all_ = find_running_labs(out)
    if not all_:
        raise Refused(f"no lab is up in {out}; `pkigen lab up demo` brings one up")
    if len(all_) > 1:
        there_are = ", ".join(str(one.folder) for one in all_)
        raise InputError(f"{len(all_)} labs are up: say which, {there_are}")
    return all_[0]


def silence_web_server() -> None:
    """Have the web server tell nothing that its clients do wrong, nor that it ends."""
    for name in ("python_multipart", "uvicorn"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_is_no_end)


def _is_no_end(record: logging.LogRecord) -> bool:
    """Not uvicorn's line of whom it cuts off at the end, which it has even if that is nobody."""
    return "timeout graceful shutdown" not in str(record.msg)


def format_status(told: dict[str, Any]) -> list[str]:
    """A lab for people, on 80 columns."""
    appliances = told["appliances"]
    names = [one["name"] for one in (*appliances, *told["receivers"])]
    width = min(30, max(map(len, names)))
    lines = [f"{one['name']:{width}}  {_ROLES[one['role']]:9}  {one['url']}" for one in appliances]
    lines += [f"{one['name']:{width}}  {one['kind']:9}  {one['url']}" for one in told["receivers"]]
    server = told["crl_server"]
    stopped = "  stopped" if server["stopped"] else ""
    lines.append(f"{'CRL server':{width}}  {'':9}  {server['url']}{stopped}")
    if told["proxy"]:
        lines.append(f"{'proxy':{width}}  {'':9}  {told['proxy']}")
    lines += ["", f"Sign in as {told['user']} with the password {told['password']}"]
    lines.append(f"The lab's clock is at {told['clock']}.")
    return list(map(printable, lines))


def format_connections(told: dict[str, Any]) -> list[str]:
    """The connections: how each is, and why."""
    lines = []
    for one in told["connections"]:
        state = colorize(one["state"], _COLOURS[one["state"]])
        lines.append(printable(f"{one['from']} -> {one['to']}: ") + state + _queued(one["queued"]))
        if one["state"] != "connected":
            lines.append(wrap(f"    {one['summary']}", 4))
        lines += [wrap(f"    {cause['certificate']}: {cause['message']}", 4) for cause in one["causes"]]
        advice = dict.fromkeys(cause["advice"] for cause in one["causes"])
        lines += [wrap(f"    What to do: {words}", 4) for words in advice]
    return lines


def _queued(count: int) -> str:
    return f", {count} {'alert' if count == 1 else 'alerts'} waiting" if count else ""
