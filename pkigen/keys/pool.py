"""A pool of keys in the user's cache, for fleets in which the key does not matter."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass, field
from hashlib import blake2s
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.keys import PrivateKey, kind_of, load_private, to_pkcs8
from pkigen.keys.kinds import KeyKind
from pkigen.keys.sources import FreshKeys

SIZE = 32
"""How many keys of each kind a pool holds for entities; more of them than that share keys."""


def default_folder() -> Path:
    """PKIGEN_KEY_POOL, or a folder of ours in the user's cache."""
    if said := os.environ.get("PKIGEN_KEY_POOL"):
        return Path(said)
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pkigen" / "keys"


@dataclass(frozen=True)
class PooledKeys:
    """Keys from a folder that is filled as they are asked for; an owner always gets the same one."""

    folder: Path = field(default_factory=default_folder)
    label: str = "pool"
    pure_python: bool = False
    _held: dict[str, PrivateKey] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_held": {}}

    def takes_long(self, _kind: KeyKind) -> bool:
        """Only the first few do."""
        return False

    def generate(self, kind: KeyKind, owner: str) -> PrivateKey:
        """The pool's key for this owner; EnvironmentFailure when the folder cannot be trusted or used."""
        name = f"{kind.name}-{_place(owner)}.p8"
        if name not in self._held:
            try:
                self._held[name] = self._read(name, kind) or self._fill(name, kind)
            except OSError as error:
                raise EnvironmentFailure(
                    f"the key pool {self.folder} cannot be used: {error.strerror}; "
                    "PKIGEN_KEY_POOL names another folder"
                ) from error
        return self._held[name]

    def _read(self, name: str, kind: KeyKind) -> PrivateKey | None:
        path = self.folder / name
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_others(self.folder)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        _refuse_others(path)
        try:
            key = load_private(data)
            found = kind_of(key)
            # Of a key with bad primes or a bad exponent nothing more can be seen.
            if (found.family, found.size) == (kind.family, kind.size):
                return key
        except ValueError:
            pass
        raise EnvironmentFailure(f"{path} is not a key of kind {kind.name}; delete it")

    def _fill(self, name: str, kind: KeyKind) -> PrivateKey:
        """Add a key; whoever of several processes comes first wins."""
        key, path = FreshKeys().generate(kind, name), self.folder / name
        draft = self.folder / f".{name}.{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(to_pkcs8(key))
            try:
                os.link(draft, path)
            except FileExistsError:
                return load_private(path.read_bytes())
        finally:
            draft.unlink()
        return key


def _place(owner: str) -> str:
    """Entities share what there is; a word for another key than theirs has one that no entity has."""
    digest = blake2s(owner.encode(), digest_size=8).digest()
    return f"{int.from_bytes(digest, 'big') % SIZE:02}" if "/" in owner else digest.hex()


def _refuse_others(path: Path) -> None:
    """A key that others may have put there or read is nobody's key."""
    if sys.platform == "win32":
        return
    status = path.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise EnvironmentFailure(f"the key pool is not yours alone: {path}; make it so (chmod go=)")
