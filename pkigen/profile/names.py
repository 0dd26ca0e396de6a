"""Names of authorities and certificates: ranges and allowed characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from pkigen.documents import limits

_LONGEST = 1_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PART = re.compile(r"\{\{.*?\}\}|\{([0-9]{1,9})\.\.([0-9]{1,9})\}|\{([^{}]*,[^{}]*)\}")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(10))}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name with ranges: literal strings, and the values between them."""

    literals: tuple[str, ...]
    ranges: tuple[range | tuple[str, ...], ...]
    widths: tuple[int, ...]
    count: int

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield (name, number): each name in order, and the value of its first range ('' without a range)."""
        choices = [
            [f"{item:0{width}}" if isinstance(item, int) else item for item in items]
            for items, width in zip(self.ranges, self.widths, strict=True)
        ]
        for chosen in product(*choices):
            parts = [self.literals[0]]
            for text, literal in zip(chosen, self.literals[1:], strict=True):
                parts += text, literal
            yield "".join(parts), chosen[0] if chosen else ""


def parse_pattern(text: str) -> Pattern:
    """Parse ``sensor-{01..20}``, ``{a,b}-host``, or a plain name; raise ValueError for an invalid range."""
    if len(text) > _LONGEST:
        raise ValueError(f"a name has {_LONGEST} characters at most, ranges and templates included")
    literals, ranges, widths, count, position = [""], list[range | tuple[str, ...]](), list[int](), 1, 0
    for match in _PART.finditer(text):
        literals[-1] += text[position : match.start()]
        position = match.end()
        first, last, listed = match.groups()
        if first is None and listed is None:
            literals[-1] += match[0]
            continue
        if first is not None:
            if int(first) > int(last):
                raise ValueError(f"the range {match[0]} runs backwards")
            ranges.append(range(int(first), int(last) + 1))
            widths.append(len(first) if first.startswith("0") else 0)
        else:
            ranges.append(tuple(part.strip() for part in listed.split(",")))
            widths.append(0)
        count *= len(ranges[-1])
        if count > limits.CERTIFICATES:
            raise ValueError(f"'{text}' makes more than {limits.CERTIFICATES} certificates")
        literals.append("")
    literals[-1] += text[position:]
    return Pattern(tuple(literals), tuple(ranges), tuple(widths), count)


def check_name(name: str) -> str | None:
    """Return the reason why a name is not a portable directory name, or None."""
    if not _NAME.fullmatch(name) or name.endswith("."):
        return (
            f"'{name}' cannot be a name: it consists of letters, digits, '.', '_' and '-', begins "
            "with a letter or a digit, does not end with '.' and has 100 characters at most"
        )
    if name.partition(".")[0].lower() in _RESERVED:
        return f"'{name}' cannot be a name: Windows keeps it for a device"
    return None
