"""``pkigen matrix --fuzz``: combinations of faults on which validators differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pkigen.cli._console import print_json, print_line, wrap
from pkigen.errors import InputError

if TYPE_CHECKING:
    from pkigen.matrix import Column

_INDENT = 12


def print_differences(columns: Sequence[Column], number: int, seed: str, *, as_json: bool) -> None:
    """Search ``number`` random combinations, and print one for each pattern of differing verdicts."""
    from pkigen.environment.combinations import random_combinations
    from pkigen.matrix.fuzz import search

    offline = [column for column in columns if not column.asks_a_server]
    if len(offline) < 2:
        raise InputError("--fuzz needs two validators; `pkigen matrix --list` prints what to install")
    with TemporaryDirectory(prefix="pkigen-") as directory:
        numbers = count(1)

        def judge(combinations: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], Mapping[str, str]]:
            return _verdicts(Path(directory) / str(next(numbers)), combinations, offline)

        differences = search(random_combinations(number, seed), judge)
    if as_json:
        print_json([{"faults": list(one.faults), "verdicts": dict(one.pattern)} for one in differences])
        return
    for one in differences:
        print_line("+".join(one.faults))
        for label, word in (("accepted by", "accept"), ("rejected by", "refuse")):
            print_line(wrap(f"  {label} {', '.join(one.validators(word))}", _INDENT + 2))
    print_line(f"{len(differences)} patterns of differing verdicts in {number} combinations (seed {seed})")


def _verdicts(
    folder: Path, combinations: Sequence[tuple[str, ...]], columns: Sequence[Column]
) -> dict[tuple[str, ...], dict[str, str]]:
    """Build the combinations, and return the words of all validators."""
    from pkigen.environment.combinations import build_combinations
    from pkigen.matrix import known_differences, subjects_of, survey

    subjects = [one for one in subjects_of(build_combinations(folder, combinations)) if one.fault]
    result = survey(subjects, columns, known_differences(), complete=False)
    return {
        tuple(subject.fault.split("+")): {
            column.name: cell.word for column, cell in zip(result.columns, cells, strict=True)
        }
        for subject, cells in result.rows
    }
