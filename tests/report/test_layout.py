"""The drawing's geometry: no box on another, nothing outside, words within their boxes."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pkigen import Environment
from pkigen.report.hierarchy import hierarchy_of
from pkigen.report.svg import (
    Box,
    Layout,
    fitted,
    laid_out,
    text_width,
)
from tests.report.conftest import CLOCK
from tests.report.manifests import authority, case, manifest

_NOW = datetime(2026, 6, 1, tzinfo=UTC)


def _apart(one: Box, other: Box) -> bool:
    return (
        one.x + one.width <= other.x
        or other.x + other.width <= one.x
        or one.y + one.height <= other.y
        or other.y + other.height <= one.y
    )


def _sound(drawn: Layout) -> None:
    assert all(_apart(*pair) for pair in combinations(drawn.boxes, 2))
    for box in drawn.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= drawn.width
        assert box.y + box.height <= drawn.height
        assert text_width(box.title, 14, bold=True) <= box.width
        assert all(mark.x + mark.width <= box.width for mark in box.marks)


@st.composite
def _trees(draw: st.DrawFn) -> Layout:
    """Authorities under earlier ones, some with a cross-certificate, certificates anywhere."""
    authorities = list[dict[str, Any]]()
    for number in range(draw(st.integers(1, 9))):
        earlier = [one["name"] for one in authorities]
        issuer = draw(st.sampled_from([None, *earlier]))
        one = authority(f"ca-{'x' * draw(st.integers(0, 60))}-{number}", issuer)
        if len(earlier) > 1 and draw(st.booleans()):
            one["cross_certificates"] = [{"issuer": draw(st.sampled_from(earlier))}]
        authorities.append(one)
    names = [one["name"] for one in authorities]
    revoked = st.sampled_from([None, {"reason": "superseded", "at": "2026-02-01T00:00:00Z"}])
    cases = [
        case(f"{chr(97 + n)}-host", draw(st.sampled_from([None, *names])), revoked=draw(revoked))
        for n in range(draw(st.integers(0, 20)))
    ]
    return laid_out(hierarchy_of(manifest(authorities, cases), _NOW))


@given(_trees())
def test_no_box_overlaps_another_or_is_cut(drawn: Layout) -> None:
    _sound(drawn)


def test_the_drawings_of_real_environments_are_valid(mixed: Environment, deep: Environment) -> None:
    for environment in (mixed, deep):
        _sound(laid_out(hierarchy_of(environment.manifest, CLOCK)))


def test_an_issuer_is_left_of_its_certificates(deep: Environment) -> None:
    drawn = laid_out(hierarchy_of(deep.manifest, CLOCK))
    left = {box.node.title: box.x for box in drawn.boxes}
    assert left["current-root"] == left["legacy-root"] < left["policy-ca"] < left["regional-ca"]
    assert [line.cross for line in drawn.lines].count(True) == 1


def test_an_empty_environment_has_an_empty_drawing() -> None:
    assert laid_out(hierarchy_of(manifest([], []), _NOW)).boxes == ()


def test_long_texts_end_with_an_ellipsis() -> None:
    assert fitted("sensor-01", 14, 200) == "sensor-01"
    cut = fitted("sensor-01.a-long-name-of-a-site.contoso.test", 14, 120)
    assert cut.endswith("…")
    assert text_width(cut, 14) <= 120
