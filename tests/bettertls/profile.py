"""Writes ``profiles/bettertls.yaml`` from the definitions: ``python -m tests.bettertls.profile``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import wrap

from pkigen.asn1 import der
from tests.bettertls import name_constraints, path_building
from tests.bettertls.name_constraints import EXCLUDED, NAMES, NONE, PERMITTED, VALID, NameCase
from tests.bettertls.path_building import DEFECTS, GRAPHS, LINEAR, Edge, Graph, PathCase
from tests.tools import ROOT

PROFILE = ROOT / "profiles" / "bettertls.yaml"

_HEAD = Path(__file__).with_name("profile_head.yaml")
_TITLES = {"v": "the host", "i": "another"}
_TEXT_TAGS = (1, 2, 6)


def profile() -> str:
    """Return the profile."""
    names = selected()
    lines = [_HEAD.read_text("utf-8").replace("NUMBER", str(len(names))), "authorities:"]
    for graph in GRAPHS:
        lines += [f"  # {graph.title}", *_authorities(graph), ""]
    lines += ["  # Name constraints", *_constrained(names), "", "certificates:"]
    for graph in GRAPHS:
        for leaf, issuer in graph.leaves.items():
            body = f"issuer: {_owner(graph, issuer)}, subject: {{CN: {leaf}}}, san: [dns:localhost]"
            lines.append(f"  {graph.name}.{leaf}: {{{body}}}")
    numbers = _numbers(names)
    lines += map(_certificate, (one for one in names if numbers[one.certificate] == one.number))
    lines += ["", "path_tests:"]
    lines += map(_path_test, path_building.cases())
    lines += (_name_test(one, numbers[one.certificate]) for one in names)
    return "\n".join(line for text in lines for line in _wrapped(text)) + "\n"


def selected() -> list[NameCase]:
    """Return the cases of name constraints that the profile contains, without repetitions, in order."""
    distinct: dict[tuple[object, ...], NameCase] = {}
    for case in name_constraints.cases():
        distinct.setdefault((case.host, case.certificate), case)
    chosen = [case for case in distinct.values() if case.number == 6 or _is_selected(case)]
    covered = {pair for case in chosen for pair in verdict_pairs(case)}
    for case in distinct.values():
        if not verdict_pairs(case) <= covered:
            covered |= verdict_pairs(case)
            chosen.append(case)
    return sorted(chosen, key=lambda case: case.number)


def verdict_pairs(case: NameCase) -> set[tuple[object, ...]]:
    """Return the pairs of the verdict and the value of each part, for a kind of the client's host name."""
    parts = (*case.names.items(), *case.permitted.items(), *case.excluded.items())
    common = case.common if case.common[1] != NONE else NONE
    tag = case.extra[0] if case.extra else None
    return {(case.host, case.verdict, number, part) for number, part in enumerate((*parts, common, tag))}


def _is_selected(case: NameCase) -> bool:
    host, other = ("dns", "ip") if case.host == "dns" else ("ip", "dns")
    kind = case.common[0] if case.common[1] != NONE else NONE
    if case.extra is not None:
        tag, contents = case.extra
        plain = case.host == "ip" or contents == NAMES["dns"][VALID].encode()
        return plain or (tag in _TEXT_TAGS and case.excluded[host] == VALID)
    of_host, of_other = ((case.permitted[one], case.excluded[one]) for one in (host, other))
    if case.names[other] == NONE and of_other == (NONE, NONE) and kind != other:
        return True
    if kind == NONE:
        both = set(case.names.values()) == {VALID}
        return both or (case.names[host] == VALID and of_host == (NONE, NONE))
    if kind == host and case.names[host] == NONE != case.names[other]:
        # Validators that use the common name beside names of the other kind, and apply no constraints to it.
        return case.common[1] == VALID and case.violates_alone
    alone = case.names[other] == NONE and of_host == (NONE, NONE)
    if kind == host and alone:
        # Validators that apply constraints on DNS names to an address in the common name.
        return case.names[host] == VALID and of_other.count(NONE) == 1
    return kind == other and alone and NONE in of_other


def _numbers(names: Iterable[NameCase]) -> dict[tuple[object, ...], int]:
    """Return the number of the first case with each certificate."""
    numbers: dict[tuple[object, ...], int] = {}
    for case in names:
        numbers.setdefault(case.certificate, case.number)
    return numbers


def _authorities(graph: Graph) -> Iterator[str]:
    """Yield the roots, each CA with a certificate from the root or from a CA before it, then all others."""
    owners = [edge for edge in _from_root(graph) if _name(graph, edge) == _owner(graph, edge[1])]
    for root in graph.roots:
        yield f"  {graph.name}.{root}: {{subject: {_subject(graph, root)}}}"
    for edge in owners:
        body = f"issuer: {_owner(graph, edge[0])}, subject: {_subject(graph, edge[1])}"
        yield f"  {_name(graph, edge)}: {{{body}}}"
    for edge in graph.edges:
        if edge not in owners:
            issuer, owner = (_owner(graph, node) for node in edge)
            yield f"  {_name(graph, edge)}: {{like: {owner}, issuer: {issuer}, key_of: {owner}}}"
    if graph is LINEAR:
        owner = _owner(graph, "ica")
        yield f"  {graph.name}.ica: {{subject: {_subject(graph, 'ica')}, key_of: {owner}}}"
    tested = {edge for case in path_building.cases() if case.graph is graph for edge in case.invalid}
    for edge in (edge for edge in graph.edges if edge in tested):
        for defect, words in DEFECTS.items():
            like = _name(graph, edge)
            shared = f"key_of: {like}, " if edge in owners else ""
            yield f"  {like}.{defect}: {{like: {like}, {shared}{words}}}"


def _from_root(graph: Graph) -> Iterator[Edge]:
    """Yield the certificates in the order of their distance from the roots."""
    reached, waiting = set(graph.roots), list(graph.roots)
    for name in waiting:
        for edge in graph.edges:
            if edge[0] == name:
                yield edge
                if edge[1] not in reached:
                    reached.add(edge[1])
                    waiting.append(edge[1])


def _owner(graph: Graph, node: str) -> str:
    """Return the authority with the key of a CA: the root, or the certificate nearest to a root."""
    if node in graph.roots:
        return f"{graph.name}.{node}"
    return _name(graph, next(edge for edge in _from_root(graph) if edge[1] == node))


def _name(graph: Graph, edge: Edge) -> str:
    return f"{graph.name}.{edge[0]}-{edge[1]}"


def _subject(graph: Graph, node: str) -> str:
    return f"{{CN: {graph.name} {node}}}"


def _path_test(case: PathCase) -> str:
    suffixes = dict.fromkeys(case.invalid, f".{case.defect}")
    chain = ", ".join(_name(case.graph, edge) + suffixes.get(edge, "") for edge in case.chain)
    invalid = " and ".join(f"{issuer}-{subject}" for issuer, subject in case.invalid)
    anchor = f", trust anchor {case.anchor}" if case.anchor not in ("root", "z") else ""
    title = f"{case.graph.title}{anchor}" + (f", {invalid} invalid ({case.defect})" if invalid else "")
    return (
        f'  - {{id: pathbuilding.{case.number}, title: "{title}", '
        f"certificate: {case.graph.name}.{case.leaf}, trust: [{case.graph.name}.{case.anchor}], "
        f"chain: [{chain}], host: localhost, purpose: server, "
        f"reject_sha1: true, expect: {_verdict(accepted=case.accepted)}}}"
    )


def _constrained(cases: Iterable[NameCase]) -> Iterator[str]:
    yield "  nc.root: {subject: {CN: Name Constraints Root}}"
    yield "  nc.local-root: {issuer: nc.root, subject: {CN: Name Constraints Local Root}}"
    for constraints in dict.fromkeys(case.constraints for case in cases):
        name = _constrained_name(constraints)
        values = dict(zip(("dns-p", "dns-x", "ip-p", "ip-x"), constraints, strict=True))
        parts = []
        for field, letter, subtrees in (("permitted", "p", PERMITTED), ("excluded", "x", EXCLUDED)):
            listed = [
                f"{kind}:{subtrees[kind][value]}"
                for kind in ("dns", "ip")
                if (value := values[f"{kind}-{letter}"]) != NONE
            ]
            parts += [f"{field}: [{', '.join(listed)}]"] if listed else []
        body = f", name_constraints: {{{', '.join(parts)}}}" if parts else ""
        yield f"  {name}: {{issuer: nc.local-root, subject: {{CN: {name}}}{body}}}"


def _constrained_name(constraints: str) -> str:
    return "nc." + constraints.replace(NONE, "n")


def _certificate(case: NameCase) -> str:
    kind, value = case.common
    common = f"CN: {NAMES[kind][value]}, " if value != NONE else ""
    names = [f"{kind}:{NAMES[kind][one]}" for kind, one in case.names.items() if one != NONE]
    san = f", san: [{', '.join(names)}]" if names else ""
    if case.extra is not None:
        san = f", extensions: [{{oid: 2.5.29.17, der: {_alternative_names(case).hex()}}}]"
    body = f"issuer: {_constrained_name(case.constraints)}, subject: {{{common}serialNumber: {case.number}}}"
    return f"  nc-{case.number}: {{{body}{san}}}"


def _alternative_names(case: NameCase) -> bytes:
    """Return the names in DER; the further one is primitive, whatever its kind."""
    assert case.extra is not None
    names = []
    for kind, tag in (("dns", 0x82), ("ip", 0x87)):
        if (value := case.names[kind]) != NONE:
            text = NAMES[kind][value]
            data = text.encode() if kind == "dns" else bytes(map(int, text.split(".")))
            names.append(der.tlv(tag, data))
    return der.sequence(*names, der.tlv(0x80 | case.extra[0], case.extra[1]))


def _name_test(case: NameCase, number: int) -> str:
    accepted, required = case.verdict
    optional = "" if required else ", required: false"
    return (
        f'  - {{id: nameconstraints.{case.number}, title: "{_title(case)}", certificate: nc-{number}, '
        f"trust: [nc.root], host: {NAMES[case.host][VALID]}, purpose: server, "
        f"expect: {_verdict(accepted=accepted)}{optional}}}"
    )


def _title(case: NameCase) -> str:
    """Return the names and constraints of a case, each as the host of the client or another one."""
    value = case.common[1]
    parts = [f"common name {_TITLES[value]}"] if value != NONE else []
    for label, values in (("", case.names), (" permitted", case.permitted), (" excluded", case.excluded)):
        parts += [f"{kind.upper()}{label} {_TITLES[one]}" for kind, one in values.items() if one != NONE]
    if case.extra is not None:
        parts.append(f"and the host in a name with tag {case.extra[0]}")
    return ", ".join(parts) or "no name"


def _verdict(*, accepted: bool) -> str:
    return "accept" if accepted else "reject"


def _wrapped(text: str) -> list[str]:
    if "\n" in text:
        return [*text.splitlines(), ""]
    if len(text) <= 120:
        return [text]
    indent = " " * (len(text) - len(text.lstrip(" ")))
    return wrap(text, 120, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    PROFILE.write_text(profile(), "utf-8")
