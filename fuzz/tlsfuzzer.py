"""``python -m fuzz.tlsfuzzer DIRECTORY [SCRIPT ...]``: runs scripts of tlsfuzzer against the TLS endpoint.

DIRECTORY is a checkout of github.com/tlsfuzzer/tlsfuzzer (GPL, so that it stays outside this repository).
``tlsfuzzer.yaml`` lists the scripts with their options, and the reasons why others are left out. The scripts
run in the virtual environment ``.venv-tlsfuzzer``, which ``make tlsfuzz`` creates.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pkigen import build
from pkigen.serve import serve_tls

_LIST = Path(__file__).with_name("tlsfuzzer.yaml")
_PYTHON = Path(__file__).parent.parent / ".venv-tlsfuzzer" / "bin" / "python"
_SECONDS = 300
_COUNTS = re.compile(r"^(TOTAL|PASS|XFAIL|FAIL|XPASS): (\d+)$", re.MULTILINE)
_FAILED = re.compile(r"^FAILED:\n((?:\t.*\n)+)", re.MULTILINE)


@dataclass(frozen=True)
class Script:
    """A script with its options.

    ``excludes`` maps patterns of its conversations, whose failures do not count, to the reasons.
    """

    name: str
    options: tuple[str, ...] = ()
    excludes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: str | dict[str, Any]) -> Script:
        """Return the script of an entry in the list: its name, or a mapping."""
        if isinstance(entry, str):
            return cls(entry)
        return cls(entry["script"], tuple(entry.get("options", ())), entry.get("excludes", {}))

    def run(self, tlsfuzzer: Path, port: int) -> tuple[bool, str]:
        """Run the script against a port of this machine; return whether it passed, and a summary."""
        command = [str(_PYTHON), f"scripts/{self.name}.py", "-h", "127.0.0.1", "-p", str(port)]
        environ = {**os.environ, "PYTHONPATH": str(tlsfuzzer)}
        try:
            done = subprocess.run(
                [*command, *self.options],
                cwd=tlsfuzzer,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return False, f"did not end within {_SECONDS} s"
        counts = dict(_COUNTS.findall(done.stdout))
        if not counts:
            return False, (done.stderr.strip() or "no output").splitlines()[-1]
        failed = _FAILED.search(done.stdout)
        names = {line.strip().strip("'") for line in failed[1].splitlines()} if failed else set()
        unexpected = sorted(name for name in names if not self._excludes(name))
        passed = not unexpected and (done.returncode == 0 or bool(names))
        return passed, " ".join((f"{counts['PASS']} of {counts['TOTAL']}", *unexpected))

    def _excludes(self, conversation: str) -> bool:
        return any(re.fullmatch(pattern, conversation) for pattern in self.excludes)


def run(tlsfuzzer: Path, names: frozenset[str] = frozenset()) -> int:
    """Run the listed scripts, or only those with these names; return the number of failures."""
    document = yaml.safe_load(_LIST.read_text(encoding="utf-8"))
    failures = 0
    for kind, entries in document["servers"].items():
        scripts = [script for script in map(Script.of, entries) if not names or script.name in names]
        if not scripts:
            continue
        with tempfile.TemporaryDirectory(prefix="pkigen-tlsfuzzer-") as folder:
            environment = build(_profile(kind), folder)
            with serve_tls(environment.folder) as url:
                port = int(url.rpartition(":")[2])
                for script in scripts:
                    passed, summary = script.run(tlsfuzzer, port)
                    failures += not passed
                    verdict = "passed" if passed else "FAILED"
                    print(f"{verdict}  {kind:9} {script.name:45} {summary}", flush=True)
    unlisted = _unlisted(tlsfuzzer, document)
    if unlisted and not names:
        print("Scripts that fuzz/tlsfuzzer.yaml does not list: " + " ".join(unlisted))
    print(f"{failures} of the scripts failed." if failures else "All scripts passed.")
    return failures


def _profile(kind: str) -> dict[str, Any]:
    server = {"issuer": "root", "key": kind, "san": ["dns:localhost"]}
    return {"name": "tlsfuzzer", "authorities": {"root": {"key": "rsa-2048"}}, "certificates": {"s": server}}


def _unlisted(tlsfuzzer: Path, document: dict[str, Any]) -> list[str]:
    listed = {Script.of(entry).name for entries in document["servers"].values() for entry in entries}
    listed.update(name for names in document["left_out"].values() for name in names)
    return sorted({path.stem for path in tlsfuzzer.glob("scripts/test-*.py")} - listed)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]).resolve(), frozenset(sys.argv[2:])) > 0)
