"""The files of a profile's own requirement sets: recorded in the environment for `pkigen check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pkigen.documents.shipped import is_set_file
from pkigen.documents.yaml_tree import folder_of
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.store import Store, decoding

if TYPE_CHECKING:
    from pkigen.profile import Profile

_SET_FILES = "requirement set files"


def record_set_files(store: Store, profile: Profile) -> None:
    """Record the absolute paths of the profile's own sets, by reference."""
    files = {
        str(reference): str((folder_of(reference.set, profile.folder) / reference.set).resolve())
        for reference in profile.set_references()
        if is_set_file(reference.set)
    }
    store.index.set_meta(_SET_FILES, json.dumps(files))


def recorded_set_files(folder: Path) -> dict[str, str]:
    """Return the recorded paths; empty for an environment that has only its manifest."""
    try:
        with Store.open(folder, write=False) as store, decoding(f"meta: {_SET_FILES}"):
            files: dict[str, str] = json.loads(store.index.meta(_SET_FILES) or "{}")
            return {str(reference): str(path) for reference, path in files.items()}
    except (InputError, EnvironmentFailure):
        return {}
