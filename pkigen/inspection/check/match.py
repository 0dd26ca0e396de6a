"""Finds the requirement sets that files satisfy, and what is missing for others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pkigen.errors import InputError
from pkigen.inspection.check.check import CheckOptions, CheckResult
from pkigen.inspection.check.files import check_files
from pkigen.requirements import Finding, RequirementSet, Status
from pkigen.requirements.loader import load_declared

_FEWEST = 3
"""Applicable requirements of a set that is worth a line of its own."""
_MOST_SETS = 50


@dataclass(frozen=True, slots=True)
class Match:
    """A set, the requirements of it that the files violate (advice excepted), and how many they satisfy."""

    set: RequirementSet
    missing: tuple[Finding, ...]
    passed: int


@dataclass(frozen=True, slots=True)
class FileMatches:
    """The sets for one certificate, those with the fewest violations first."""

    name: str
    matches: tuple[Match, ...]
    result: CheckResult

    @property
    def satisfied(self) -> tuple[Match, ...]:
        """The sets that are satisfied, those with the most applicable requirements first."""
        return tuple(one for one in self.matches if not one.missing and one.passed >= _FEWEST)

    @property
    def trivial(self) -> tuple[Match, ...]:
        """The sets that are satisfied because hardly any of their requirements applies."""
        return tuple(one for one in self.matches if not one.missing and one.passed < _FEWEST)

    @property
    def missed(self) -> tuple[Match, ...]:
        """The sets that are not satisfied, the nearest first."""
        return tuple(one for one in self.matches if one.missing and one.passed >= _FEWEST)


def match_files(
    files: Sequence[Path], sets: Sequence[RequirementSet], options: CheckOptions
) -> Iterator[FileMatches]:
    """Yield the matches of each certificate (or CRL, key, request) in the files.

    Sets of CA certificates are compared with CA certificates and self-issued ones only.
    """
    for result in check_files(files, sets, options):
        certificate = result.presented.certificate
        may_be_ca = certificate is None or result.presented.authority or certificate.is_self_issued
        matches = [
            _match(one, result)
            for one in sets
            if one.name not in result.inapplicable and (may_be_ca or not one.is_for_authorities)
        ]
        matches.sort(key=lambda one: (len(one.missing), -one.passed, one.set.name))
        yield FileMatches(result.name, tuple(matches), result)


def sets_beside(paths: Iterable[Path]) -> dict[str, RequirementSet]:
    """Return the requirement sets in the directories of files, and in given directories, by their paths.

    YAML files that are no sets, such as profiles, and sets with errors are ignored.
    """
    directories = dict.fromkeys(path if path.is_dir() else path.parent for path in paths)
    by_path = dict[str, RequirementSet]()
    for directory in directories:
        try:
            for path in islice(sorted(directory.glob("*.y*ml")), _MOST_SETS):
                with suppress(InputError):
                    by_path[str(path)] = load_declared(str(path))
        except OSError:
            continue
    return by_path


def _match(against: RequirementSet, result: CheckResult) -> Match:
    findings = [one for one in result.findings if one.set.name == against.name]
    missing = tuple(one for one in findings if one.failed and result.counts(one))
    return Match(against, missing, sum(one.outcome.status is Status.PASS for one in findings))
