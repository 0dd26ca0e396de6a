"""An environment that somebody else built, or that is damaged, never leads out of its directory."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pkigen import BuildOptions, build, open_environment
from pkigen.environment.crl.publish import write_bundle
from pkigen.environment.crl.upkeep import Upkeep
from pkigen.environment.published.publishers import load_crl_issuers
from pkigen.environment.revoke import refresh_crl, revoke
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.serve.faults.url_map import ManifestWatcher
from pkigen.store import Store

_PROFILE = {
    "name": "foreign",
    "base_url": "http://127.0.0.1:8080",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {"subject": {"CN": "R"}, "crl": {"delta": "1d"}}},
    "certificates": {"a": {"issuer": "root", "subject": {"CN": "a.test"}}},
    "negatives": [{"of": "a", "faults": ["ocsp-stale"]}],
}
_OUTSIDE = ("/etc/hostname", "../secret", "certificates/../../secret", "certificates//a", "..", "", "c:x")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(_PROFILE, tmp_path_factory.mktemp("sound")).folder


@pytest.fixture
def foreign(sound: Path, tmp_path: Path) -> Path:
    """A copy of an environment, beside a file that is not part of it."""
    (tmp_path / "secret").write_text("secret")
    return shutil.copytree(sound, tmp_path / "foreign")


def _change(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    change(manifest)
    path.write_text(json.dumps(manifest))


def _set(*keys: str | int) -> Callable[[dict[str, Any], str], None]:
    def assign(manifest: Any, value: str) -> None:
        for key in keys[:-1]:
            manifest = manifest[key]
        manifest[keys[-1]] = value

    return assign


_PATHS = {
    "trust": _set("trust"),
    "certificate": _set("cases", 0, "files", "certificate"),
    "chain of a case": _set("cases", 1, "files", "chain"),
    "key of an authority": _set("authorities", 0, "files", "key"),
    "anchor": _set("cases", 0, "trust", 0),
    "CRL": _set("authorities", 0, "crl", "file"),
    "delta CRL": _set("authorities", 0, "crl", "parts", 0, "file"),
    "OCSP response": _set("cases", 1, "ocsp", "file"),
    "name of an authority": _set("authorities", 0, "name"),
}


@pytest.mark.parametrize("assign", _PATHS.values(), ids=_PATHS)
@pytest.mark.parametrize("path", _OUTSIDE)
def test_a_manifest_path_outside_the_environment_is_rejected(
    foreign: Path, assign: Callable[[dict[str, Any], str], None], path: str
) -> None:
    _change(foreign, lambda manifest: assign(manifest, path))
    with pytest.raises(InputError, match=r"manifest\.json is damaged \(.* leads outside the environment: "):
        open_environment(foreign)


def _update_bundle(folder: Path) -> None:
    with Store.open(folder, write=True) as store:
        write_bundle(store, load_crl_issuers(store).values())


def test_a_running_server_keeps_the_last_manifest_that_stays_inside(foreign: Path) -> None:
    watcher = ManifestWatcher(foreign)
    before = dict(watcher.now.answers)
    _change(foreign, lambda manifest: _PATHS["OCSP response"](manifest, "../secret"))
    assert before
    assert watcher.now.answers == before


@pytest.mark.parametrize("path", ["certificates/a/a.crt", "certificates/a", "www/crl/root.crl", "trust.pem"])
def test_a_link_to_the_outside_is_rejected(foreign: Path, path: str) -> None:
    target = foreign / path
    shutil.move(target, foreign.parent / "moved")
    target.symlink_to(foreign.parent / "moved")
    with pytest.raises(InputError, match=f"{path} is a link to a file outside the environment"):
        open_environment(foreign)


def test_a_link_inside_the_environment_and_to_the_environment_is_followed(foreign: Path) -> None:
    (foreign / "trust.pem").rename(foreign / "anchors.pem")
    (foreign / "trust.pem").symlink_to("anchors.pem")
    link = foreign.with_name("link")
    link.symlink_to(foreign)
    assert open_environment(link)["a"].certificate.is_file()


def test_fields_of_later_versions_are_ignored(foreign: Path) -> None:
    _change(foreign, lambda manifest: manifest["cases"][0].update(later="field"))
    assert open_environment(foreign)["a"].data["later"] == "field"


@pytest.mark.parametrize(
    ("assign", "value", "place"),
    [
        (_set("cases"), None, "cases: Input should be a valid array"),
        (_set("cases", 0, "name"), 7, "cases.0.name: Input should be a valid string"),
        (_set("clock"), "tomorrow", "clock: Input should be a valid datetime"),
        (_set("authorities", 0, "crl", "number"), "1", "authorities.0.crl.number: "),
    ],
)
def test_a_damaged_manifest_is_reported_with_the_place(
    foreign: Path, assign: Callable[[dict[str, Any], Any], None], value: Any, place: str
) -> None:
    _change(foreign, lambda manifest: assign(manifest, value))
    with pytest.raises(InputError, match=rf"is damaged \({place}.*; build the environment again"):
        open_environment(foreign)


def _index(folder: Path, query: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / ".pkigen/index.db")) as connection:
        connection.execute(query, values)
        connection.commit()


_FILES = '[["certificates/a/a.crt", "00"], ["../secret", "00"]]'


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("UPDATE entities SET files = ? WHERE id = 'certificates/a'", _FILES),
        ("UPDATE crls SET files = ?", '[["../secret", "00"]]'),
        ("UPDATE crls SET files = ?", '[["/etc/hostname", "00"]]'),
        ("UPDATE entities SET id = ? WHERE id = 'certificates/a'", "certificates/../.."),
        ("UPDATE publishers SET id = ? WHERE id LIKE 'auth%'", "authorities/../.."),
        ("INSERT INTO journal SELECT *, ? FROM entities", "../../../outside"),
        ("INSERT INTO journal SELECT *, ? FROM entities", ".."),
        ("INSERT INTO journal SELECT *, ? FROM entities", "x" * 300),
    ],
)
def test_an_index_path_outside_the_environment_is_rejected(foreign: Path, query: str, value: str) -> None:
    _index(foreign, query, value)
    certificates = {"b": {"issuer": "root", "subject": {"CN": "b.test"}}}
    profile = {**_PROFILE, "certificates": certificates, "negatives": []}

    def run_commands() -> None:
        refresh_crl(foreign)
        revoke(foreign, ["a"])
        build(profile, foreign.parent, BuildOptions(prune=True))

    with pytest.raises(EnvironmentFailure, match=r"index\.db: it is damaged \(.* Restore it from a backup"):
        run_commands()
    assert (foreign.parent / "secret").read_text() == "secret"


def test_pruning_does_not_delete_through_a_link(foreign: Path) -> None:
    outside = foreign.parent / "outside"
    outside.mkdir()
    (outside / "file").write_text("theirs")
    (foreign / "www/linked").symlink_to(outside)
    _index(
        foreign, "UPDATE entities SET files = ? WHERE id = 'certificates/a'", '[["www/linked/file", "00"]]'
    )
    with (
        Store.open(foreign, write=True) as store,
        pytest.raises(EnvironmentFailure, match="is a symbolic link"),
    ):
        store.remove(store.index.entry("certificates/a"))
    assert (outside / "file").read_text() == "theirs"


def test_a_linked_crl_is_not_copied_to_the_bundle(foreign: Path) -> None:
    (foreign / "authorities/root/root.crl").unlink()
    (foreign / "authorities/root/root.crl").symlink_to(foreign.parent / "secret")
    _index(foreign, "UPDATE crls SET files = '[]'")
    with pytest.raises(EnvironmentFailure, match=r"root\.crl is a symbolic link, which pkigen"):
        _update_bundle(foreign)
    assert b"secret" not in (foreign / "crls.pem").read_bytes()


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("UPDATE entities SET not_after = ?", 2**62),
        ("UPDATE entities SET serials = ?", "[[]]"),
        ("UPDATE entities SET files = ?", "[]"),
        ("UPDATE entities SET record = ?", '{"name": '),
        ("UPDATE entities SET record = ?", b"\xff"),
        ("UPDATE crls SET next_update = ?", 2**62),
        ("UPDATE crls SET digest = ?", None),
        ("UPDATE crl_numbers SET number = ?", "x"),
        ("UPDATE publishers SET plan = ?", '{"name": "other"}'),
        ("UPDATE publishers SET plan = ?", "[" * 2000),
        ("UPDATE revocations SET at = ?", 2**62),
        ("UPDATE revocations SET reason = ?", "whim"),
        ("UPDATE revocations SET serial = ?", "not hexadecimal"),
        ("DELETE FROM entities WHERE id LIKE ?", "authorities/%"),
    ],
)
def test_a_damaged_index_is_reported_with_a_remedy(foreign: Path, query: str, value: object) -> None:
    revoke(foreign, ["a"])
    _index(foreign, query, value)
    with pytest.raises(EnvironmentFailure, match=r"index\.db: it is damaged.* Restore it from a backup"):
        refresh_crl(foreign)


def test_the_upkeep_of_a_server_reports_a_damaged_index(foreign: Path) -> None:
    _index(foreign, "UPDATE crls SET files = ?", "x")
    with pytest.raises(EnvironmentFailure, match="it is damaged"):
        Upkeep(foreign, lambda: open_environment(foreign).clock, print).run()
