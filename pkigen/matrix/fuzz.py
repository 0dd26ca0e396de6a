"""Searches combinations of faults for those on which validators differ, and reduces them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pkigen.matrix.runner import ACCEPT, REFUSE

Combination = tuple[str, ...]
"""The ids of the faults of one case."""
Pattern = tuple[tuple[str, str], ...]
"""The verdict of each validator that checks the case: ``accept`` or ``refuse``."""
Judge = Callable[[Sequence[Combination]], Mapping[Combination, Mapping[str, str]]]
"""Returns the words of all validators by name, for those combinations that exist as certificates."""


@dataclass(frozen=True)
class Difference:
    """A pattern of verdicts in which validators differ, and the fewest faults that show it."""

    faults: Combination
    pattern: Pattern

    def validators(self, word: str) -> list[str]:
        """Return the validators with this verdict."""
        return [name for name, verdict in self.pattern if verdict == word]


def search(combinations: Iterable[Combination], judge: Judge) -> list[Difference]:
    """Return one combination for each pattern in which validators differ, reduced to the fewest faults."""
    patterns = _differing(judge(list(dict.fromkeys(combinations))))
    smallest = dict[Pattern, Combination]()
    for faults, pattern in patterns.items():
        if len(faults) < len(smallest.get(pattern, (*faults, ""))):
            smallest[pattern] = faults
    return [Difference(faults, pattern) for pattern, faults in _reduced(smallest, judge).items()]


def _reduced(smallest: dict[Pattern, Combination], judge: Judge) -> dict[Pattern, Combination]:
    """Leave out one fault after the other, as long as the pattern stays the same."""
    open_patterns = {pattern for pattern, faults in smallest.items() if len(faults) > 1}
    while open_patterns:
        smaller = {pattern: _without_one(smallest[pattern]) for pattern in open_patterns}
        patterns = _differing(judge(list(dict.fromkeys(one for group in smaller.values() for one in group))))
        for pattern, group in smaller.items():
            same = [one for one in group if patterns.get(one) == pattern]
            if same:
                smallest[pattern] = same[0]
            if not same or len(same[0]) == 1:
                open_patterns.remove(pattern)
    return smallest


def _without_one(faults: Combination) -> list[Combination]:
    return [faults[:number] + faults[number + 1 :] for number in range(len(faults))]


def _differing(verdicts: Mapping[Combination, Mapping[str, str]]) -> dict[Combination, Pattern]:
    """Return the patterns of combinations that some validators accept and others reject."""
    patterns = {
        faults: tuple(
            (name, word.split()[0]) for name, word in words.items() if word.split()[0] in (ACCEPT, REFUSE)
        )
        for faults, words in verdicts.items()
    }
    return {one: pattern for one, pattern in patterns.items() if len({word for _, word in pattern}) > 1}
