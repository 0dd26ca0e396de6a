"""Foreign files in an environment: never used, never lost, and links are never followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pkigen.errors import EnvironmentFailure
from pkigen.model import File
from pkigen.store import (
    Entry,
    Store,
    placement,
    stage,
)
from tests.store.fakes import generations, publication, publish

_POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def _entry(store: Store, name: str) -> Entry:
    return store.index.get([f"certificates/{name}"])[f"certificates/{name}"]


def _replaced(folder: Path, name: str) -> list[str]:
    return [path.read_text() for path in (folder / ".pkigen/replaced").rglob(name)]


def test_a_manifest_from_before_the_first_build_is_moved_aside(tmp_path: Path) -> None:
    (tmp_path / "www/ca").mkdir(parents=True)
    (tmp_path / "www/crl").mkdir()
    for path in ("manifest.json", "www/ca/same", "www/crl/same", "www/index.html"):
        (tmp_path / path).write_text(path)
    with Store.open(tmp_path, write=True) as store:
        store.write_loose("manifest.json", [b"ours"])
        (note,) = store.notes
    assert note.startswith("manifest.json, same, same existed before the build; moved to")
    assert _replaced(tmp_path, "manifest.json") == ["manifest.json"]
    assert sorted(_replaced(tmp_path, "same*")) == ["www/ca/same", "www/crl/same"]
    assert (tmp_path / "www/index.html").read_text() == "www/index.html"
    with Store.open(tmp_path, write=True) as store:
        assert store.notes == []
    assert (tmp_path / "manifest.json").read_bytes() == b"ours"


def test_a_file_at_the_path_of_a_new_one_is_moved_aside(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    (tmp_path / "certificates/a/a.der").write_text("mine")
    with Store.open(tmp_path, write=True) as store:
        store.publish([publication(tmp_path, "a", 1, File("a.der", b"1"))])
        assert "a.der was altered; moved to" in store.notes[0]
    assert (tmp_path / "certificates/a/a.der").read_text() == "1"
    assert _replaced(tmp_path, "a.der") == ["mine"]


def test_an_altered_file_of_a_pruned_entity_is_moved_aside(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    (tmp_path / "certificates/a/a.key").write_text("my own key")
    with Store.open(tmp_path, write=True) as store:
        assert store.remove(_entry(store, "a")) == []
        assert "a.key was altered; moved to" in store.notes[0]
    assert not (tmp_path / "certificates/a").exists()
    assert _replaced(tmp_path, "a.key") == ["my own key"]


def test_edits_between_a_kill_and_the_next_build_are_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory was put in place and then edited: recovery must not mistake it for the old one."""
    publish(tmp_path, "a")
    folder = tmp_path / "certificates/a"
    (folder / "note.txt").write_text("mine")
    monkeypatch.setattr(placement.Placement, "settle", _killed)
    with pytest.raises(KeyboardInterrupt):
        publish(tmp_path, "a", generation=1)
    monkeypatch.undo()
    (folder / "a.crt").write_text("edited")
    with Store.open(tmp_path, write=True) as store:
        assert [damage.path for damage in store.damage(_entry(store, "a"))] == ["certificates/a/a.crt"]
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "a.crt": "edited",
        "a.key": "1",
        "chain.pem": "1",
        "note.txt": "mine",
    }


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_batch_that_failed_is_recovered_by_the_next_one(tmp_path: Path) -> None:
    publish(tmp_path, "a", "c")
    (tmp_path / "certificates/b").symlink_to(tmp_path)
    with Store.open(tmp_path, write=True) as store:
        with pytest.raises(EnvironmentFailure, match="is not a directory"):
            store.publish([publication(tmp_path, name, 1) for name in "abc"])
        store.publish([publication(tmp_path, "d", 1)])
        assert {entry.id[-1]: entry.spec for entry in store.index.entries()} == {"a": "1", "c": "0", "d": "1"}
    (tmp_path / "certificates/b").unlink()
    assert generations(tmp_path) == {"a": {"1"}, "c": {"0"}, "d": {"1"}}


@_POSIX
def test_a_pipe_or_link_instead_of_a_file_is_damage(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    folder = tmp_path / "certificates/a"
    text = (folder / "a.crt").read_text()
    for name in ("a.crt", "a.key", "chain.pem"):
        (folder / name).unlink()
    os.mkfifo(folder / "a.key")
    (tmp_path / "elsewhere").write_text(text)
    (folder / "a.crt").symlink_to(tmp_path / "elsewhere")
    (folder / "chain.pem").mkdir()
    with Store.open(tmp_path, write=True) as store:
        assert [damage.kind for damage in store.damage(_entry(store, "a"))] == ["altered"] * 3
        store.publish([publication(tmp_path, "a", 1)])
    assert generations(tmp_path) == {"a": {"1"}}
    assert (tmp_path / "elsewhere").read_text() == text


@pytest.mark.parametrize("path", ["../x", "/x", "www/../../x", "www//x", "", "www/.", "c:x", "..\\x", "www/"])
def test_no_path_leaves_the_environment(tmp_path: Path, path: str) -> None:
    env = tmp_path / "env"
    with Store.open(env, write=True) as store:
        with pytest.raises(EnvironmentFailure, match="not a path inside"):
            store.write_loose(path, [b"x"])
        with pytest.raises(EnvironmentFailure, match="not a file name"):
            stage(env, [File("fine", b""), File(path, b"x")])
    assert [path.name for path in tmp_path.iterdir()] == ["env"]
    assert list((env / ".pkigen/staging").iterdir()) == []


def test_a_crl_is_not_written_through_a_link(tmp_path: Path) -> None:
    env, outside = tmp_path / "env", tmp_path / "outside"
    outside.mkdir()
    with Store.open(env, write=True) as store:
        (env / "authorities/root").symlink_to(outside)
        with pytest.raises(EnvironmentFailure, match="is a symbolic link, which pkigen does not follow"):
            store.write_loose("authorities/root/root.crl", [b"x"])
    assert list(outside.iterdir()) == []


def test_pruning_does_not_follow_links(tmp_path: Path) -> None:
    env, outside = tmp_path / "env", tmp_path / "outside"
    publish(env, "a")
    (env / "certificates/a").rename(outside)
    (env / "certificates/a").symlink_to(outside)
    with (
        pytest.raises(EnvironmentFailure, match="is a symbolic link, which pkigen does not follow"),
        Store.open(env, write=True) as store,
    ):
        store.remove(_entry(store, "a"))
    assert (outside / "a.key").exists()
