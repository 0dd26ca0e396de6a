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
from pkigen.os_errors import os_error_reason

_SMALLEST_OF_OPENSSL = 1024
_ML_DSA: dict[int, type[mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey]] = {
    44: mldsa.MLDSA44PrivateKey,
    65: mldsa.MLDSA65PrivateKey,
    87: mldsa.MLDSA87PrivateKey,
}


class KeySource(Protocol):
    """Creates keys. Picklable, and safe to call from several threads."""

    @property
    def label(self) -> str:
        """The label for keys of this source in the index; it contains no secret."""
        ...

    @property
    def pure_python(self) -> bool:
        """Whether RSA key generation holds the GIL."""
        ...

    def takes_long(self, kind: KeyKind) -> bool:
        """Return whether a key of a kind takes longer than all other steps for a certificate."""
        ...

    def generate(self, kind: KeyKind, owner: str) -> PrivateKey:
        """Return a key for the entity with the id ``owner``."""
        ...


@dataclass(frozen=True, slots=True)
class FreshKeys:
    """Generates a new random key at each call."""

    label: str = "fresh"
    pure_python: bool = False

    def takes_long(self, kind: KeyKind) -> bool:
        """Return True for RSA."""
        return kind.slow

    def generate(self, kind: KeyKind, owner: str) -> PrivateKey:
        """Return a new key."""
        return _random(kind)


@dataclass(frozen=True, slots=True)
class SeededKeys:
    """Derives keys from a seed, the kind and the owner, for test fixtures; these keys are not secret."""

    seed: str = field(repr=False)
    pure_python: bool = True

    @property
    def label(self) -> str:
        """``seed:`` and a digest that distinguishes seeds."""
        return "seed:" + sha256(self.seed.encode()).hexdigest()[:16]

    def takes_long(self, kind: KeyKind) -> bool:
        """Return True for RSA."""
        return kind.slow

    def generate(self, kind: KeyKind, owner: str) -> PrivateKey:
        """Return the key of an owner."""
        return _derived(kind, SeededEntropy(self.seed), "key", owner, kind.name)


def _random(kind: KeyKind) -> PrivateKey:
    if kind.name in UNSOUND:
        return weak_keys.generate(kind, SystemEntropy())
    match kind.family:
        case "rsa" if kind.size < _SMALLEST_OF_OPENSSL or kind.size % 2:  # OpenSSL rounds odd sizes down
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
    """Return a number from 1 to ``order`` - 1, by repeated draws (FIPS 186-5, A.2.2)."""
    bits = order.bit_length()
    for attempt in range(1000):
        octets = entropy.read((bits + 7) // 8, *labels, str(attempt))
        number = int.from_bytes(octets, "big") & ((1 << bits) - 1)
        if 1 <= number < order:
            return number
    raise AssertionError("no number below the order")


SIZE = 32
"""Number of keys per kind in a pool for certificates, and for copies of CAs; further ones share them."""


def default_folder() -> Path:
    """Return the directory in PKIGEN_KEY_POOL (default: pkigen's directory in the user's cache)."""
    if directory := os.environ.get("PKIGEN_KEY_POOL"):
        return Path(directory)
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pkigen" / "keys"


@dataclass(frozen=True)
class PooledKeys:
    """Keys from a directory that is filled on demand; an owner always gets the same key."""

    folder: Path = field(default_factory=default_folder)
    label: str = "pool"
    pure_python: bool = False
    _cache: dict[str, PrivateKey] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_cache": {}}

    def takes_long(self, _kind: KeyKind) -> bool:
        """Return False; only the first keys of a kind take long."""
        return False

    def generate(self, kind: KeyKind, owner: str) -> PrivateKey:
        """Return the pool's key for an owner; raise EnvironmentFailure if its directory is unsafe."""
        name = f"{kind.name}-{_place(owner)}.p8"
        if name not in self._cache:
            try:
                self._cache[name] = self._read(name, kind) or self._fill(name, kind)
            except OSError as error:
                raise EnvironmentFailure(
                    f"the key pool {self.folder} cannot be used: {os_error_reason(error)}; "
                    "set PKIGEN_KEY_POOL to another directory"
                ) from error
        return self._cache[name]

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
            actual = kind_of(key)
            # No further details are available for a key with bad primes or a bad exponent.
            if (actual.family, actual.size, actual.curve) == (kind.family, kind.size, kind.curve):
                return key
        except ValueError:
            pass
        raise EnvironmentFailure(f"{path} is not a key of kind {kind.name}; delete it")

    def _fill(self, name: str, kind: KeyKind) -> PrivateKey:
        """Add a key; if several processes add the same key, the first one wins."""
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
    """Return the pool index of an owner; only certificates share indices, and only the copies of CAs do.

    Two CAs of a path must not have the same key: clients that find an issuer by its key identifier would
    take one for the other. ``ID.CASE.FAULT`` is the copy of a CA for a case; an ID with one dot belongs to a
    CA of the profile. ``ID#N`` is the owner of the key that replaces N compromised keys of an entity.
    """
    group, _, entity = owner.rpartition("/")
    is_copy = group == "authorities" and entity.count(".") > 1
    if not group or (group == "authorities" and not is_copy):
        return blake2s(owner.encode(), digest_size=8).hexdigest()
    name, _, number = owner.partition("#")
    digest = blake2s(name.encode(), digest_size=8).digest()
    index = f"{(int.from_bytes(digest, 'big') + int(number or 0)) % SIZE:02}"
    return f"copy-{index}" if is_copy else index


def _refuse_others(path: Path) -> None:
    """Refuse a file that other users can read or may have written."""
    if sys.platform == "win32":
        return
    status = path.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise EnvironmentFailure(f"the key pool is not yours alone: {path}; make it so (chmod go=)")


class KeyPrefetcher:
    """Generates keys ahead of use in threads, in the order of the requests.

    A context manager that ends the threads on exit. It prefetches only kinds that take long, and only if
    key generation releases the GIL.
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
        """Start to generate the key of an owner, if the kind is slow and the key is not started."""
        worth_it = self.source.takes_long(parse_kind(kind)) and not self.source.pure_python
        if not worth_it or (owner, kind) in self._keys:
            return
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._jobs, "key")
        self._keys[owner, kind] = self._threads.submit(self.source.generate, parse_kind(kind), owner)

    def get(self, owner: str, kind: str) -> PrivateKey | None:
        """Return the requested key and wait for it if necessary; None if it was not started."""
        future = self._keys.pop((owner, kind), None)
        return future.result() if future else None

    def end(self) -> None:
        """Stop the threads until the next request. Keys that were not collected are lost."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None
            self._keys.clear()
