"""Random profiles: the output verifies, is stable without changes, and follows edits."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.environment.profiles import Document, build_it, changes, files
from tests.openssl import Judge

_LABEL = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=20)
_KEYS = st.sampled_from(["ec-p256", "ec-p384", "ec-p521", "ed25519", "ed448"])
_USAGES: st.SearchStrategy[object] = st.sampled_from(
    [["digitalSignature"], ["digitalSignature", "keyAgreement"], "none"]
)
_COIN = st.booleans()
_LIFE = st.sampled_from(["1d", "90d", "397d", "2y", "1y6mo"])


@st.composite
def _authorities(draw: st.DrawFn) -> Document:
    """A tree of authorities: each is issued by an earlier one, or self-signed."""
    tree: Document = {}
    for index in range(draw(st.integers(1, 4))):
        issuers = [name for name in tree if len(_path(tree, name)) < 4]
        authority: Document = {
            "subject": {"CN": f"CA {index} " + draw(_TEXT)},
            "key": draw(_KEYS),
            "valid": "20y",
        }
        below: bool = draw(_COIN)
        if issuers and below:
            authority["issuer"] = draw(st.sampled_from(issuers))
        if draw(_COIN):
            authority["crl"] = {"valid": draw(st.sampled_from(["1d", "7d", "365d"]))}
        tree[f"ca-{index}"] = authority
    return tree


def _path(authorities: Document, name: str) -> list[str]:
    issuer = authorities[name].get("issuer")
    return [name, *(_path(authorities, issuer) if issuer else [])]


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A valid profile of up to four authorities and eight end entities."""
    authorities = draw(_authorities())
    certificates: Document = {}
    for index in range(draw(st.integers(1, 4))):
        host = draw(_LABEL)
        certificate: Document = {
            "issuer": draw(st.sampled_from(sorted(authorities))),
            "subject": {"O": draw(_TEXT), "CN": f"{host}.test"},
            "key": draw(_KEYS),
            "valid": draw(_LIFE),
        }
        if draw(_COIN):
            certificate["san"] = [f"dns:{host}.test", "ip:10.0.0.1", f"uri:https://{host}.test/x"]
        if draw(_COIN):
            certificate["key_usage"] = draw(_USAGES)
        if draw(_COIN):
            certificate["formats"] = ["fullchain", "der"]
        if draw(_COIN):
            certificate["files"] = ["key", "crt"]
        certificates[f"host-{index}"] = certificate
    if draw(_COIN):
        template = {"issuer": "ca-0", "subject": {"CN": "{{ name }}.test"}, "key": "ec-p256"}
        certificates["unit-{1..3}"] = template
    return {"name": "random", "authorities": authorities, "certificates": certificates}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(), st.data())
def test_a_random_profile_verifies_and_follows_an_edit(document: Document, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as out:
        folder = build_it(document, Path(out)).folder
        judge = Judge(folder)
        for case in judge.manifest["cases"]:
            assert judge.verify(case) == ""
            assert judge.key_matches(case)
        before = files(folder)
        assert build_it(document, Path(out)).summary.up_to_date
        assert files(folder) == before

        edited = copy.deepcopy(document)
        name = data.draw(st.sampled_from(sorted(n for n in edited["certificates"] if "{" not in n)))
        edited["certificates"][name]["subject"]["O"] = "Edited " + data.draw(_TEXT)
        result = build_it(edited, Path(out))
        assert changes(result) == {name: "reissue"}
        for case in judge.manifest["cases"]:
            assert judge.verify(case) == ""
