"""Sources of new keys: generated, derived from a seed, drawn from a pool, or prefetched in threads."""

from __future__ import annotations

import os
import secrets
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2s, sha256
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa

from pkigen.errors import EnvironmentFailure
from pkigen.keys import PrivateKey, kind_of, load_private, rsa_primes, to_pkcs8, weak_keys
from pkigen.keys.entropy import SeededEntropy, SystemEntropy
from pkigen.keys.kinds import UNSOUND, KeyKind, parse_kind

_SMALLEST_OF_OPENSSL = 1024
_ML_DSA: dict[int, type[mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey]] = {
    44: mldsa.MLDSA44PrivateKey,
    65: mldsa.MLDSA65PrivateKey,
    87: mldsa.MLDSA87PrivateKey,
}


class KeySource(Protocol):
    """Makes keys. Picklable, and safe to call from several threads."""

    @property
    def label(self) -> str:
        """What the index notes of a key from here; it tells no secret."""
        ...

    @property
    def pure_python(self) -> bool:
        """Whether generating an RSA key holds the GIL."""
        ...

    def takes_long(self, kind: KeyKind) -> bool:
        """Whether a key of a kind takes longer than all else that is done for a certificate."""
        ...

    def generate(self, kind: KeyKind, owner: str) -> PrivateKey:
        """A key for an entity, told by its id."""
        ...


@dataclass(frozen=True, slots=True)
class FreshKeys:
    """A new random key at each call."""

    label: str = "fresh"
    pure_python: bool = False

    def takes_long(self, kind: KeyKind) -> bool:
        """RSA does."""
        return kind.slow

    def generate(self, kind: KeyKind, owner: str) -> PrivateKey:
        """A new key."""
        return _random(kind)


@dataclass(frozen=True, slots=True)
class SeededKeys:
    """Keys that follow from a seed, the kind and the owner: fixtures, and no secret to anybody."""

    seed: str = field(repr=False)
    pure_python: bool = True

    @property
    def label(self) -> str:
        """``seed:`` and a digest that tells seeds apart."""
        return "seed:" + sha256(self.seed.encode()).hexdigest()[:16]

    def takes_long(self, kind: KeyKind) -> bool:
        """RSA does."""
        return kind.slow

    def generate(self, kind: KeyKind, owner: str) -> PrivateKey:
        """The key of this owner."""
        return _derived(kind, SeededEntropy(self.seed), "key", owner, kind.name)


def _random(kind: KeyKind) -> PrivateKey:
    if kind.name in UNSOUND:
        return weak_keys.generate(kind, SystemEntropy())
    match kind.family:
        case "rsa" if kind.size < _SMALLEST_OF_OPENSSL:
            return rsa_primes.generate(kind.size, SystemEntropy())
        case "rsa":
            return rsa.generate_private_key(65537, kind.size)
        case "ec":
            return ec.generate_private_key(getattr(ec, kind.curve)())
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case "ed448":
            return ed448.Ed448PrivateKey.generate()
        case _:
            return _ML_DSA[kind.size].generate()


def _derived(kind: KeyKind, entropy: SeededEntropy, *labels: str) -> PrivateKey:
    if kind.name in UNSOUND:
        return weak_keys.generate(kind, entropy, *labels)
    match kind.family:
        case "rsa":
            return rsa_primes.generate(kind.size, entropy, *labels)
        case "ec":
            secret = _below(kind.order, entropy, *labels)
            return ec.derive_private_key(secret, getattr(ec, kind.curve)())
        case "ed25519":
            return ed25519.Ed25519PrivateKey.from_private_bytes(entropy.read(32, *labels))
        case "ed448":
            return ed448.Ed448PrivateKey.from_private_bytes(entropy.read(57, *labels))
        case _:
            return _ML_DSA[kind.size].from_seed_bytes(entropy.read(32, *labels))


def _below(order: int, entropy: SeededEntropy, *labels: str) -> int:
    """A number from 1 to ``order`` - 1, by drawing until one fits (FIPS 186-5, A.2.2)."""
    bits = order.bit_length()
    for attempt in range(1000):
        octets = entropy.read((bits + 7) // 8, *labels, str(attempt))
        number = int.from_bytes(octets, "big") & ((1 << bits) - 1)
        if 1 <= number < order:
            return number
    raise AssertionError("no number below the order")


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
            if (found.family, found.size, found.curve) == (kind.family, kind.size, kind.curve):
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


class KeyPrefetcher:
    """New keys for owners who will ask for them, in the order announced.

    A context manager, whose end is the threads'. Only kinds that take long are worth it, and only
    where generating them leaves the interpreter free.
    """

    def __init__(self, source: KeySource, jobs: int) -> None:
        self.source = source
        self._jobs = jobs
        self._threads: ThreadPoolExecutor | None = None
        self._keys: dict[tuple[str, str], Future[PrivateKey]] = {}

    def __enter__(self) -> KeyPrefetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def request(self, owner: str, kind: str) -> None:
        """Begin with the key of an owner, if it is worth it and not begun."""
        worth_it = self.source.takes_long(parse_kind(kind)) and not self.source.pure_python
        if not worth_it or (owner, kind) in self._keys:
            return
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._jobs, "key")
        self._keys[owner, kind] = self._threads.submit(self.source.generate, parse_kind(kind), owner)

    def get(self, owner: str, kind: str) -> PrivateKey | None:
        """The announced key, waited for if need be; None when it was not begun."""
        future = self._keys.pop((owner, kind), None)
        return future.result() if future else None

    def end(self) -> None:
        """Stop the threads, for good or until the next announcement. Keys not taken are lost."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None
            self._keys.clear()
