"""What a drawing is of: each authority and certificate is in one node, under who issued it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pkigen import Environment
from pkigen.report.hierarchy import FEW, MOST_BELOW, Hierarchy, Node, hierarchy_of
from tests.report.conftest import CLOCK
from tests.report.manifests import authority, case, fault, manifest

_NOW = datetime(2026, 6, 1, tzinfo=UTC)


def _titles(hierarchy: Hierarchy) -> dict[str, Node]:
    return {node.title: node for node in hierarchy.nodes}


def _edges(hierarchy: Hierarchy) -> set[tuple[str, str, bool]]:
    titles = {node.id: node.title for node in hierarchy.nodes}
    return {(titles[edge.issuer], titles[edge.issued], edge.cross) for edge in hierarchy.edges}


def test_cross_certificates_are_separate_edges(deep: Environment) -> None:
    edges = _edges(hierarchy_of(deep.manifest, CLOCK))
    assert ("current-root", "policy-ca", False) in edges
    assert ("legacy-root", "policy-ca", True) in edges
    assert ("issuing-ca", "web", False) in edges
    assert len(edges) == 6


def test_similar_certificates_are_one_node_without_revoked_ones(mixed: Environment) -> None:
    result = _titles(hierarchy_of(mixed.manifest, CLOCK))
    assert result["sensor-01 … sensor-20"].count == 20
    assert result["retired"].marks == ("revoked",)
    assert result["console.expired-root"].marks == ("broken",)
    assert result["root.console.expired-root"].marks == ("trust anchor", "broken", "expired")


def test_many_faulty_copies_of_a_certificate_are_one_node() -> None:
    copies = [authority(f"ca.sensor.f{n}", "root", fault=fault("sensor", f"f{n}")) for n in range(5)]
    broken = [case(f"sensor.f{n}", f"ca.sensor.f{n}", fault=fault("sensor", f"f{n}")) for n in range(5)]
    result = hierarchy_of(
        manifest([authority("root"), authority("ca", "root"), *copies], [case("sensor", "ca"), *broken]), _NOW
    )
    assert _edges(result) == {
        ("root", "ca", False),
        ("ca", "sensor", False),
        ("root", "5 copies of ca", False),
        ("5 copies of ca", "5 faulty copies of sensor", False),
    }


def test_a_few_faulty_copies_are_separate_nodes_with_their_fault() -> None:
    broken = case("sensor.f", fault=fault("sensor", "f", "It has expired."))
    (_, node) = hierarchy_of(manifest([authority("root")], [broken]), _NOW).nodes
    assert (node.title, node.note, node.marks) == ("sensor.f", "It has expired.", ("broken",))


def test_the_state_of_a_node_depends_on_the_requested_time() -> None:
    one = manifest([], [case("a", None)])
    years = {
        year: hierarchy_of(one, datetime(year, 6, 1, tzinfo=UTC)).nodes[0].marks
        for year in (2025, 2026, 2027)
    }
    assert years == {2025: ("not yet valid",), 2026: (), 2027: ("expired",)}


_NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@given(st.lists(_NAMES, unique=True, max_size=60), st.data())
def test_each_certificate_is_in_one_node_and_their_number_is_limited(
    names: list[str], data: st.DataObject
) -> None:
    authorities = [authority("root"), authority("other")]
    cases = [case(name, data.draw(st.sampled_from(["root", "other", None]))) for name in names]
    result = hierarchy_of(manifest(authorities, cases), _NOW)
    content = [name for node in result.nodes for name in node.names]
    assert sorted(content) == sorted(
        ["authorities/root", "authorities/other", *(f"certificates/{n}" for n in names)]
    )
    below = [sum(edge.issuer == node.id for edge in result.edges) for node in result.nodes]
    alike = sum(node.count > FEW for node in result.nodes)
    assert max(below, default=0) <= MOST_BELOW + alike


def test_the_order_of_issuance_does_not_matter() -> None:
    circle: list[dict[str, Any]] = [authority("a"), authority("b", "a"), authority("c", "b")]
    circle[0]["cross_certificates"] = [{"issuer": "c"}]
    assert _edges(hierarchy_of(manifest(circle, []), _NOW)) == {("a", "b", False), ("b", "c", False)}
