"""Keys of faulty cases: one for all cases of a certificate, or with ``--keys unique`` one for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen import build
from pkigen.environment.build.options import BuildOptions, KeyOrigin
from tests.faults.conftest import PROFILE
from tests.tools import run

_NEGATIVES = [{"of": "sensor", "faults": ["expired", "not-yet-valid", "san-wrong-host", "serial-duplicate"]}]


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("keys", "seed", "count"), [("fresh", None, 2), ("unique", None, 6), ("unique", "x", 6)]
)
def test_each_case_has_a_key_of_its_own_only_if_the_keys_are_unique(
    keys: KeyOrigin, seed: str | None, count: int, tmp_path: Path
) -> None:
    built = build({**PROFILE, "negatives": _NEGATIVES}, tmp_path, BuildOptions(keys=keys, seed=seed))
    certificates = [case.certificate for case in built.cases()]
    assert len(certificates) == 6
    public = {run("openssl", "x509", "-noout", "-pubkey", "-in", one) for one in certificates}
    assert len(public) == count
