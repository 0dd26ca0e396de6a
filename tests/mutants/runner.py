"""Runs mutants: a pytest plugin that collects the tests once, and forks a child for each mutant."""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import importlib
import inspect
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest

from tests.mutants.operators import Mutant, mutated_code

TESTS_PER_MUTANT = 12.0
"""Seconds of CPU time as recorded: of the tests that call the changed function, the longest are left out."""
_WALL_LIMIT, _WALL_LIMIT_OF_RECORDING = 300, 1800
_WALL_PER_CPU = 20
"""How much longer than its CPU time a test may take; a test that waits forever is stopped."""
_MEMORY_LIMIT = 2 << 30
_SURVIVED, _KILLED, _INVALID = 0, 1, 3
_Recorded = tuple[dict[str, Any], pytest.Item]
"""A test, with what was recorded of it: its seconds of CPU time, those of its fixtures, and its calls."""


class Runner:
    """A pytest plugin that replaces the loop over the tests; ``report`` gets each mutant's result."""

    def __init__(
        self,
        root: Path,
        mutants: list[Mutant],
        targets: Mapping[str, Path],
        coverage: Path,
        report: Callable[[Mutant, str, float], None],
    ) -> None:
        """Keep the mutants to run.

        ``targets`` are the files of the modules whose calls are recorded, by the name of the module, and
        ``coverage`` is the directory of the recorded calls of test files.
        """
        self._root, self._mutants, self._coverage, self._report = root, mutants, coverage, report
        self._targets = {str(path): module for module, path in targets.items()}
        self._failed = False
        self._live: list[object] = []
        self._calls: set[str] = set()
        self._fixture_calls: dict[Any, set[str]] = {}
        self._fixture_seconds: dict[str, float] = {}
        self._running = coverage / "running"
        self._reliable: set[str] = set()

    def pytest_collection(self) -> None:
        """Let property tests try fewer examples: the same in each run, and without shrinking failures."""
        with contextlib.suppress(ImportError):
            from hypothesis import Phase, settings

            phases = (Phase.explicit, Phase.generate)
            settings.register_profile(
                "mutants", deadline=None, derandomize=True, database=None, max_examples=10, phases=phases
            )
            settings.load_profile("mutants")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Print why a test file could not be imported."""
        if report.failed:
            print(report.longreprtext, file=sys.stderr)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember that a test failed."""
        self._failed |= report.failed

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Attribute what a fixture calls, and its time, to every test that uses it."""
        outer, self._calls = self._calls, set()
        started, before = _cpu_seconds(), sum(self._fixture_seconds.values())
        try:
            return (yield)
        finally:
            self._fixture_calls[fixturedef] = self._calls
            self._calls = outer | self._calls
            if fixturedef.scope != "function":
                inner = sum(self._fixture_seconds.values()) - before
                self._fixture_seconds[_fixture_name(fixturedef)] = _cpu_seconds() - started - inner

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Record which functions each test calls, then run the mutants."""
        items: dict[str, list[pytest.Item]] = {}
        for item in session.items:
            if not item.get_closest_marker("slow"):
                items.setdefault(str(item.path), []).append(item)
        for mutant in self._mutants:
            importlib.import_module(mutant.module)
        gc.collect()
        kinds = (FunctionType, functools._lru_cache_wrapper)
        self._live = [value for value in gc.get_objects() if isinstance(value, kinds)]
        gc.freeze()  # children copy fewer pages
        recorded = {path: self._recorded_calls(Path(path), members) for path, members in items.items()}
        for mutant in self._mutants:
            selected = _selected(mutant, items, recorded)
            limit = 3 + 4 * _seconds([recorded[str(item.path)][item.nodeid] for item in selected])
            started = _cpu_seconds()
            status = self._status(mutant, selected, limit)
            names = {_SURVIVED: "survived", _KILLED: "killed", _INVALID: "invalid"}
            self._report(mutant, names.get(status, "timeout"), _cpu_seconds() - started)
        return True

    def _status(self, mutant: Mutant, items: list[pytest.Item], limit: float) -> int:
        """Return the result of a mutant; a test that fails without the change as well kills nothing."""
        while items:
            self._running.write_text("", "utf-8")
            status = _forked(partial(self._try, mutant, items), limit)
            running = self._running.read_text("utf-8")
            if status in (_SURVIVED, _INVALID) or running in self._reliable:
                return status
            alone = [item for item in items if item.nodeid == running]
            if _forked(partial(self._try, None, alone), limit) == _SURVIVED:
                self._reliable.add(running)
                return status
            print(f"  left out, since it fails without a change: {running}", flush=True)
            items = [item for item in items if item not in alone]
        return _SURVIVED

    def _recorded_calls(self, path: Path, items: list[pytest.Item]) -> dict[str, Any]:
        """Return the functions that each passing test of a file calls, and its seconds of CPU time."""
        state = b"".join(Path(source).read_bytes() for source in (str(path), __file__, *self._targets))
        file = self._coverage / (hashlib.sha256(f"{path}".encode() + state).hexdigest()[:24] + ".jsonl")
        if not file.exists():
            print(f"  recording the calls of {path.relative_to(self._root)}", flush=True)
            self._coverage.mkdir(parents=True, exist_ok=True)
            draft = file.with_suffix(".draft")
            if _forked(partial(self._record, items, draft), 300, _WALL_LIMIT_OF_RECORDING) != 0:
                print(f"  stopped; the tests without a record are not used: {path}", flush=True)
            draft.replace(file)
        lines = file.read_text("utf-8").splitlines()
        return {entry["test"]: entry for entry in map(json.loads, lines)}

    def _record(self, items: list[pytest.Item], file: Path) -> int:
        targets = self._targets
        cached = [
            value
            for value in self._live
            if isinstance(value, functools._lru_cache_wrapper)
            and getattr(inspect.unwrap(value), "__code__", self._try.__code__).co_filename in targets
        ]

        def note(frame: FrameType, _event: str, _argument: object) -> None:
            code = frame.f_code
            if code.co_filename in targets:
                self._calls.add(f"{targets[code.co_filename]}:{code.co_qualname.partition('.<locals>')[0]}")

        threading.settrace(note)
        with file.open("w", encoding="utf-8") as lines:
            for item, following in zip(items, [*items[1:], None], strict=True):
                for function in cached:
                    function.cache_clear()
                self._failed, self._calls = False, set()
                started, before = _cpu_seconds(), sum(self._fixture_seconds.values())
                sys.settrace(note)
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                sys.settrace(None)
                seconds = _cpu_seconds() - started - (sum(self._fixture_seconds.values()) - before)
                fixtures = item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]
                shared = dict[str, float]()
                for definition in (definition for definitions in fixtures for definition in definitions):
                    self._calls |= self._fixture_calls.get(definition, set())
                    name = _fixture_name(definition)
                    shared |= {name: self._fixture_seconds[name]} if name in self._fixture_seconds else {}
                if not self._failed:
                    entry = {"test": item.nodeid, "seconds": seconds, "fixtures": shared}
                    print(json.dumps({**entry, "calls": sorted(self._calls)}), file=lines, flush=True)
        return 0

    def _try(self, mutant: Mutant | None, items: list[pytest.Item]) -> int:
        """Run tests until one fails, with a change or without."""
        try:
            if mutant:
                _apply(mutant, self._live)
        except (LookupError, SyntaxError, ValueError):
            return _INVALID
        for item, following in zip(items, [*items[1:], None], strict=True):
            self._running.write_text(item.nodeid, "utf-8")
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                return _KILLED
        return _SURVIVED


def _selected(
    mutant: Mutant, items: dict[str, list[pytest.Item]], recorded: dict[str, dict[str, Any]]
) -> list[pytest.Item]:
    """Return the tests that call the changed function, the quickest files and tests first."""
    function = f"{mutant.module}:{mutant.function}"
    by_file = list[list[_Recorded]]()
    for path, members in items.items():
        calling = [
            (recorded[path][item.nodeid], item)
            for item in members
            if function in recorded[path].get(item.nodeid, {}).get("calls", ())
        ]
        by_file.append(sorted(calling, key=lambda one: float(one[0]["seconds"]))[:40])
    selected = list[_Recorded]()
    for one in (one for calling in sorted(by_file, key=_average) for one in calling):
        if selected and _seconds([entry for entry, _ in (*selected, one)]) > TESTS_PER_MUTANT:
            break
        selected.append(one)
    return [item for _, item in selected]


def _average(calling: list[_Recorded]) -> float:
    return _seconds([entry for entry, _ in calling]) / max(len(calling), 1)


def _seconds(entries: Iterable[dict[str, Any]]) -> float:
    """Return the CPU time of recorded tests; the tests of one file set up their shared fixtures once."""
    entries = list(entries)
    fixtures = {name: seconds for entry in entries for name, seconds in entry["fixtures"].items()}
    return float(sum(entry["seconds"] for entry in entries) + sum(fixtures.values()))


def _fixture_name(definition: pytest.FixtureDef[Any]) -> str:
    return f"{definition.baseid}::{definition.argname}"


def _apply(mutant: Mutant, live: list[object]) -> None:
    """Give the function its changed code in this process, and empty all caches."""
    name, line, changed = mutated_code(mutant)
    if changed is None:
        raise LookupError(name)
    place = (str(mutant.path), line, name)
    for value in live:
        if isinstance(value, FunctionType):
            if _place(value.__code__) == place:
                value.__code__ = changed
        elif isinstance(value, functools._lru_cache_wrapper):
            value.cache_clear()


def _place(code: CodeType) -> tuple[str, int, str]:
    return code.co_filename, code.co_firstlineno, code.co_qualname


def _cpu_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _forked(action: Callable[[], int], cpu_seconds: float, wall_limit: float = _WALL_LIMIT) -> int:
    """Return the result of an action in a child process, or -1 if it exceeds its time or dies."""
    directory = Path(tempfile.mkdtemp(prefix="mutant-"))
    child = os.fork()
    if not child:
        status = -1
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds), int(cpu_seconds) + 5))
            resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_LIMIT, _MEMORY_LIMIT))
            silent = os.open(os.devnull, os.O_RDWR)
            for descriptor in range(3):
                os.dup2(silent, descriptor)
            os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = str(directory)
            status = action()
        finally:
            os._exit(status & 0xFF)
    try:
        descriptor = os.pidfd_open(child)
        if not select.select([descriptor], [], [], min(_WALL_PER_CPU * cpu_seconds, wall_limit))[0]:
            os.kill(child, signal.SIGKILL)
        os.close(descriptor)
        status = os.waitpid(child, 0)[1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        shutil.rmtree(directory, ignore_errors=True)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
