"""The shipped requirement sets as a page: an overview, and a table of each set."""

from __future__ import annotations

from collections import Counter

from pkigen.profile.reference.words import escaped
from pkigen.report.set_page import as_markdown
from pkigen.requirements import RequirementSet
from pkigen.requirements.library import every_set


def overview() -> str:
    """Return a table of all sets with their roles, and the number of their requirements."""
    lines = ["| set | title | roles | requirements | confidence |", "|---|---|---|---|---|"]
    for one in every_set():
        title = f"{one.title}, version {one.version}" if one.version else one.title
        roles = ", ".join(one.roles)
        cells = (f"[{one.name}](#{one.name})", escaped(title), roles, str(len(one.requirements)))
        lines.append(f"| {' | '.join((*cells, _confidence(one)))} |")
    return "\n".join(lines)


def _confidence(one: RequirementSet) -> str:
    """Return how sure the requirements of a set are, with numbers if they differ."""
    counts = Counter(str(one.confidence_of(requirement)) for requirement in one.requirements)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{number} {confidence}" for confidence, number in counts.most_common())


def tables() -> str:
    """Return a section for each set, with its source, its requirements, and what it does not check."""
    return "\n".join(map(_section, every_set()))


def _section(one: RequirementSet) -> str:
    heading, _, rest = as_markdown(one).partition("\n")
    return f"## {heading.removeprefix('# ')} {{ #{one.name} }}\n{rest}"
