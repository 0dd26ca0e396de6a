"""Requirements on the directories of a trust store, with those that ``pkigen export`` writes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pkigen.environment.environment import open_environment
from pkigen.errors import InputError
from pkigen.export import TARGETS, ExportOptions, export
from pkigen.inspection.check import CheckOptions, check_files, files_in
from pkigen.requirements import load_set
from tests.environment.profiles import build_it

_PROFILE = {
    "name": "plant",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {"subject": {"CN": "Root"}}, "issuing": {"issuer": "root"}},
    "certificates": {"plc": {"issuer": "issuing"}},
}
_IDS = {"opcua": "opcua:server", "nodeopcua": "opcua-node-opcua:server"}
_Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of each export target, with the directories of the application below it."""
    folder = tmp_path_factory.mktemp("stores")
    built = build_it(_PROFILE, folder / "out").folder
    for target in _IDS:
        export(open_environment(built), TARGETS[target], ExportOptions(out=folder / target))
    return folder


def _outcome(directory: Path, against: str) -> str:
    """Return the status of the requirement, and what was found if it is violated."""
    (result,) = check_files(files_in(directory), [load_set(against)], CheckOptions())
    (finding,) = (one for one in result.findings if one.requirement.id == "pki-directory")
    return f"{finding.outcome.status} {finding.outcome.actual if finding.failed else ''}".strip()


@pytest.mark.parametrize(("target", "against"), _IDS.items())
def test_an_exported_directory_has_the_layout_of_its_implementation(
    target: str, against: str, directories: Path
) -> None:
    assert _outcome(directories / target / "plc", against) == "pass"


def test_a_directory_of_another_implementation_is_violated(directories: Path) -> None:
    assert "issuers/certs/root.der" in _outcome(directories / "nodeopcua/plc", "opcua:server")


def _move(source: str, target: str) -> _Change:
    return lambda pki: shutil.move(pki / source, pki / target)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_move("own/certs/certificate.pem", "own/private/certificate.pem"), "fail the certificate in "),
        (_move("own/private/private_key.pem", "own/certs/private_key.pem"), "fail the key in "),
        (lambda pki: (pki / "own/private/private_key.pem").unlink(), "fail no key"),
        (_move("trusted/certs/issuing.der", "trusted/crl/issuing.der"), "trusted/crl/issuing.der"),
        (_move("issuers/crl/root.crl", "issuers/certs/root.crl"), "issuers/certs/root.crl"),
        (lambda pki: (pki / "issuers/crl/root.crl").unlink(), "fail no CRL of the CA in "),
    ],
)
def test_an_object_in_the_wrong_directory_violates_the_layout(
    change: _Change, words: str, directories: Path, tmp_path: Path
) -> None:
    pki = tmp_path / "pki"
    shutil.copytree(directories / "nodeopcua/plc", pki)
    change(pki)
    assert words in _outcome(pki, "opcua-node-opcua:server")


def test_files_outside_of_a_trust_store_do_not_violate_the_layout(directories: Path, tmp_path: Path) -> None:
    shutil.copy(directories / "opcua/plc/own/certs/plc.der", tmp_path / "plc.der")
    assert _outcome(tmp_path, "opcua:server") == "not applicable"


@pytest.mark.parametrize("text", ["{}", "{certificate: ../own}", "{certificate: /own}", "{crls: ['']}"])
def test_a_contradictory_layout_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "name: own\ntitle: Own\nsource: {title: Manual, date: '2026'}\n"
        f"requirements: [{{id: a, level: advice, says: A., demand: {{pki_directory: {text}}}}}]\n"
    )
    with pytest.raises(InputError):
        load_set(str(tmp_path / "own.yaml"))
