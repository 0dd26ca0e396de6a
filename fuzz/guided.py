"""``python -m fuzz.guided SECONDS SEED``: coverage-guided inputs into every reader, with atheris.

atheris is not a dependency of the tests, since it exists for few platforms: ``pip install atheris``. The
process ends with the number of inputs on stderr; a finding is a nonzero exit code and a file in
``fuzz/findings``.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
_FINDINGS = Path(__file__).parent / "findings"
_UNITS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_LARGEST = 20_000


def is_available() -> bool:
    """Return whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def run(seconds: int, seed: int) -> tuple[int, str]:
    """Fuzz in another process, which libFuzzer ends; return the number of inputs and the finding, if any."""
    command = [sys.executable, "-m", "fuzz.guided", str(seconds), str(seed)]
    completed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    messages = completed.stderr.decode("utf-8", "replace")
    units = _UNITS.search(messages)
    problem = "" if completed.returncode == 0 else messages[-1500:]
    return int(units[1]) if units else 0, problem


def main(seconds: int, seed: int) -> None:
    """Fuzz in this process; it does not return."""
    import atheris  # type: ignore[import-untyped]

    with atheris.instrument_imports(include=["pkigen"]):
        from fuzz.running import feed, load_seeds
        from fuzz.targets import BINARY, TEXT
    targets = tuple(dict.fromkeys((*BINARY, *TEXT)))
    folder = Path(tempfile.mkdtemp(prefix="pkigen-guided-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    binary, text = load_seeds()
    for number, data in enumerate((*binary, *text)):
        is_text = number >= len(binary)
        target = targets.index(TEXT[0] if is_text else BINARY[0])
        (corpus / str(number)).write_bytes(bytes((target,)) + data[:_LARGEST])
    _FINDINGS.mkdir(exist_ok=True)

    def test_one_input(data: bytes) -> None:
        if not data:
            return
        problem = feed(data[1:], targets[data[0] % len(targets)], folder)
        if problem:
            raise RuntimeError(problem)

    options = (f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={_LARGEST}", "-print_final_stats=1")
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={_FINDINGS}/", str(corpus)], test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
