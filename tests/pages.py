"""Pages as their readers use them: files are written, commands run one after the other, outputs compared.

A fenced block with a title is a file of that name. A line of a ``console`` block that begins with ``$`` is a
command; one that ends in ``# exit code N`` must end with that, every other with 0. A ``text`` block titled
*Output* has lines that the page's commands print, with ``...`` for what differs from run to run; one titled
*Output of PROGRAM VERSION* is compared only where this version is installed.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import pytest

from tests import prestarted, tools
from tests.openssl import with_new_names

_FENCED = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_EXIT_CODE = re.compile(r" +# exit code (\d+)$")
_PORT = re.compile(r"(?<![\w.])(?:127\.0\.0\.1:|-port[ =])?(8\d{3})\b")
_SERVES_AT = 8080
_AT_THE_END = (
    '[ "$BASHPID" = $$ ] || exit; kill $(jobs -p) 2>/dev/null || :; wait; cat "$servers"; rm "$servers"'
)
LAB_PORTS = {8085, *range(8443, 8452)}
"""Those of the lab of the profile ``demo`` and of an enrollment server, if nobody asks for others."""


VERSION_COMMANDS = {"strongSwan": "pki --help", "certbot": "certbot --version"}
"""Commands that print ``PROGRAM VERSION``."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its title ("" without) and what is in it."""

    language: str
    title: str
    text: str


def fenced(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(language, title, text) for language, title, text in _FENCED.findall(page)]


def blocks(language: str, page: str) -> list[str]:
    """The text of those blocks of a language that are no file, in order."""
    return [block.text for block in fenced(page) if block.language == language and not block.title]


def commands(page: str) -> list[str]:
    """The commands of a page, in order; one may go on in further lines."""
    output = "".join(blocks("console", page))
    return [command.rstrip("\n") for command in re.split(r"^\$ ", output, flags=re.MULTILINE) if command]


def run(page: str, folder: Path) -> str:
    """Do in a directory what a page says, and compare what it prints; all that it printed.

    A lab that it leaves behind is ended.
    """
    try:
        output = shell(["set -eu", *_script(page)], folder)
    finally:
        if "lab up" in page:
            end = [str(prestarted.directory() / "pkigen"), "lab", "down", "--out", str(folder / "out")]
            subprocess.run(end, cwd=folder, capture_output=True, check=False)
    for block in fenced(page):
        if block.language == "text" and _is_output_here(block.title):
            missing = [line for line in block.text.splitlines() if not _printed(line, output)]
            assert not missing, f"not printed: {missing}\n{output}"
    return output


def shell(lines: Iterable[str], folder: Path) -> str:
    """Do lines of bash in a directory; all that was printed. Servers that they begin have ended then."""
    script = "\n".join(["exec 2>&1", "servers=$(mktemp)", f"trap '{_AT_THE_END}' EXIT", *lines])
    return tools.run("bash", "-c", script, cwd=folder, environ=environment())


def _script(page: str) -> Iterator[str]:
    for block in fenced(page):
        if block.language == "console":
            yield from map(_checked, commands(f"```console\n{block.text}```"))
        elif block.title and not block.title.startswith("Output"):
            yield f"printf %s {quote(block.text)} >{quote(block.title)}"


def _checked(command: str) -> str:
    """Return a command that ends the script if its exit code differs from the one on the page.

    The output of servers is collected and printed at the end, so that it does not mix with other output.
    """
    if command.endswith(" &"):
        return f'{command.removesuffix(" &")} >>"$servers" 2>&1 &'
    expected = _EXIT_CODE.search(command)
    if expected is None:
        return command
    wrong = f"{{ echo {quote(command)}: exit code $code; exit 1; }}"
    return f"code=0; {command[: expected.start()]} || code=$?\n[ $code -eq {expected[1]} ] || {wrong}"


def _is_output_here(title: str) -> bool:
    version = title.removeprefix("Output of ")
    if version == title:
        return title == "Output"
    command = VERSION_COMMANDS[version.split()[0]].split()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return re.search(rf"{re.escape(version)}\b", done.stdout + done.stderr) is not None


def _printed(line: str, output: str) -> bool:
    expected = ".*".join(map(re.escape, with_new_names(line).strip().split("...")))
    return any(re.fullmatch(expected, printed.strip()) for printed in with_new_names(output).splitlines())


def needs(page: str) -> Iterator[str]:
    """The tools that its commands call, of those that tests know."""
    words = {word for command in commands(page) for word in re.findall(r"(?:^|\| )(\w+)", command)}
    # strongSwan fetches http URLs with a plugin only.
    plugins = {"strongswan-curl"} if "pki --scep" in page else set()
    yield from sorted(words & tools.PACKAGES.keys() | plugins)


def ports(page: str) -> set[int]:
    """The ports at which its servers listen."""
    output = "\n".join(commands(page))
    result = {int(port) for port in _PORT.findall(output)}
    result |= {_SERVES_AT} if "pkigen serve" in output else set()
    return result | (LAB_PORTS if "pkigen lab up" in output else set())


def want_free(numbers: set[int]) -> None:
    """Skip the test when another program has one of the ports; where CI=true, fail it."""
    taken = [port for port in sorted(numbers) if not port_is_free(port)]
    if taken:
        reason = f"needs port {taken[0]}, which the page uses, and another program has it"
        pytest.fail(reason) if tools.gaps_are_failures() else pytest.skip(reason)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def port_is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def environment() -> dict[str, str]:
    """Return variables for the commands of a page: PATH begins with a prestarted pkigen and this Python."""
    folders = (prestarted.directory(), Path(sys.executable).parent, os.environ["PATH"])
    return {"PATH": os.pathsep.join(map(str, folders))}
