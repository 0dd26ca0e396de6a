"""Damaged files of every kind end in words, whatever the damage is."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkigen.errors import PkigenError
from pkigen.inspection.conversion import ConversionOptions, Target, convert
from tests.inspection.conversion.certificates import PASSPHRASE, Made

pytestmark = pytest.mark.needs("openssl")
_FILES = (
    "sensor.pfx",
    "open.p12",
    "bundle.pem",
    "sensor.enc.key",
    "all.der.p7b",
    "sensor.cer",
    "issuing.crl",
)
_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["replace", "remove", "insert", "cut", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=8),
    ),
    max_size=4,
)


def _mutated(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for how, where, octets in changes:
        at = int(where * len(data))
        after = {
            "replace": octets + data[at + len(octets) :],
            "remove": data[at + len(octets) :],
            "insert": octets + data[at:],
            "cut": b"",
            "repeat": data[max(0, at - 100) :],
        }
        data = data[:at] + after[how]
    return data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for all examples."""
    return tmp_path_factory.mktemp("mutated")


@settings(max_examples=300)
@given(name=st.sampled_from(_FILES), changes=_CHANGES, to=st.sampled_from(Target))
def test_a_mutated_file_is_converted_or_reported(
    made: Made, folder: Path, name: str, changes: list[tuple[str, float, bytes]], to: Target
) -> None:
    source = folder / name
    source.write_bytes(_mutated((made / name).read_bytes(), changes))
    options = ConversionOptions(to, str(folder / "out"), force=True, passphrases=(PASSPHRASE.encode(),))
    with suppress(PkigenError):
        convert([source], options)
    assert not [path for path in folder.iterdir() if path.name.startswith(".pkigen")]
