"""``python -m tests.opcua DIRECTORY``: SecureChannels between applications of asyncua, and of node-opcua.

Each certificate of the profile, sound or faulty, is tried as client or server, with the exported PKI
directories. An implementation accepts exactly the certificates that its requirement set accepts. DIRECTORY
contains a virtual environment with asyncua, and node_modules with node-opcua. The exit code is 1 if a verdict
differs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pkigen import BuildOptions, build
from pkigen.environment.environment import Case, Environment
from pkigen.export import TARGETS, ExportOptions, export
from tests.export.conftest import free_port

_SERVER, _CLIENT, _STRANGER = "press-server", "historian", "stranger"
_HERE = Path(__file__).parent


def _command(target: str, tools: Path, folder: Path, scratch: Path) -> list[str]:
    if target == "asyncua":
        return [str(tools / "bin/python"), str(_HERE / "asyncua_peers.py"), str(folder), str(free_port())]
    # An ES module resolves packages from its own path.
    script = tools / "nodeopcua_peers.mjs"
    script.write_bytes((_HERE / script.name).read_bytes())
    return ["node", str(script), str(folder), str(scratch)]


def _pairs(environment: Environment) -> Iterator[tuple[str, Case]]:
    """Yield each case with the pair of applications in which it takes part."""
    for case in environment.cases():
        role = case.data["requirements"][0].partition(":")[2]
        of_authority = bool(case.fault) and bool(case.data["fault"].get("authority"))
        if role in ("server", "client") and not of_authority:  # copies of a CA are not trusted
            pair = (case.name, _CLIENT) if role == "server" else (_SERVER, case.name)
            yield "/".join(pair), case


def _expected(case: Case) -> bool:
    return case.fault is None or bool(case.data["fault"]["accepted"])


def run(name: str, target: str, tools: Path) -> list[str]:
    """Return the differences between the verdicts of an implementation and those of its requirement set."""
    with tempfile.TemporaryDirectory(prefix="pkigen-opcua-") as scratch:
        environment = build(name, Path(scratch) / "out", BuildOptions(keys="pool"))
        other_plant = build(name, Path(scratch) / "other", BuildOptions(keys="fresh", only=_CLIENT))
        folder, other = (
            export(one, TARGETS[target], ExportOptions()).folder for one in (environment, other_plant)
        )
        for path in (other / _CLIENT).rglob("*"):  # the application of another plant
            if path.is_file():
                moved = folder / _STRANGER / path.relative_to(other / _CLIENT)
                moved = moved.with_name(moved.name.replace(_CLIENT, _STRANGER))
                moved.parent.mkdir(parents=True, exist_ok=True)
                moved.write_bytes(path.read_bytes())
        expected = {pair: _expected(case) for pair, case in _pairs(environment)}
        expected[f"{_SERVER}/{_STRANGER}"] = False
        command = [*_command(target, tools, folder, Path(scratch) / "copies"), *sorted(expected)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
        )
    lines = (line.partition(" ") for line in done.stdout.splitlines())
    verdicts = {pair: verdict for pair, _, verdict in lines if pair in expected}
    differing = [
        f"{pair}: expected {'accepted' if accepted else 'rejected'}, got {verdicts.get(pair, 'no verdict')}"
        for pair, accepted in expected.items()
        if (verdicts.get(pair) == "accepted") is not accepted or pair not in verdicts
    ]
    accepted = sum(verdict == "accepted" for verdict in verdicts.values())
    rejected = len(verdicts) - accepted
    print(f"{target}: {accepted} accepted, {rejected} rejected, {len(differing)} verdicts differ", flush=True)
    return differing


def main() -> int:
    """Run both implementations; return the exit code."""
    tools = Path(sys.argv[1]).absolute()
    profiles = {"opcua-asyncua": "asyncua", "opcua-node-opcua": "nodeopcua"}
    differing = [line for name, target in profiles.items() for line in run(name, target, tools)]
    print("\n".join(differing), end="\n" if differing else "")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
