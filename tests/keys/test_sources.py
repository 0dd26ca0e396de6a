"""Where keys come from: fresh ones differ, seeded ones repeat forever, pooled ones are shared safely."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from pkigen.errors import EnvironmentFailure
from pkigen.keys import key_identifier, kind_of, load_private, public_key_info, to_pkcs8
from pkigen.keys.entropy import SeededEntropy
from pkigen.keys.kinds import WELL_KNOWN, parse_kind
from pkigen.keys.sources import SIZE, FreshKeys, PooledKeys, SeededKeys

# PKCS#8 DER, SHA-256: whatever changes one of these breaks every fixture built from a seed.
_GOLDEN = {
    "rsa-512": "94b8ad62d9b577da430a845a01ce077ca0b47554c6753eb89ac206f0d1874a4d",
    "rsa-1024": "853060f49912fad0ab49b30cc756080f31a7c16185d5fc51d7826dfdd65a7f86",
    "rsa-2048": "c71ce8a27979049ac4c37f938370af8afd6c499440aab855952cf85b18d716f3",
    "ec-p256": "ebac27ba3720264612c3b556ad64403211c995e34a19f5d18d511cb102293bed",
    "ec-p384": "725f34c048a2ec9d07faa14fe22642ce5076ab8e3ba1e37c3c529a4641d5323f",
    "ec-p521": "4d35416290aeb77e9257843b17d38059869ed95d368c65f93b37d8b81d5b5641",
    "ed25519": "2fcfcf7e0ed6f0ab59ea93111c3862d33ecf4f5e371c9713c61caa1e8ddba303",
    "ed448": "a1a9808c3bf7603cf2feb1c8c4999e5ff1daa5b9cb2407471bdf78c128107bba",
    "ml-dsa-44": "431fd8c170a718c6472935a5794bfe87fd4f01ec3e9ae4da262df677ec47108c",
    "ml-dsa-65": "d7a6ea8c097dbec2c0ef17e4b8d69dcfb18fe9c00e15e3020a4317a183c18a4a",
    "ml-dsa-87": "07bb4cdd6ca99e06c9783102ee7d05a44faaadcee88697028046cfaf36c31aa4",
}


@pytest.mark.parametrize("name", _GOLDEN)
def test_a_seeded_key_never_changes(name: str) -> None:
    key = SeededKeys("golden").generate(parse_kind(name), "certificates/a")
    assert sha256(to_pkcs8(key)).hexdigest() == _GOLDEN[name]


def test_seed_owner_and_kind_each_give_another_key() -> None:
    kind = parse_kind("ed25519")
    keys = [SeededKeys(seed).generate(kind, owner) for seed in ("x", "y") for owner in ("a", "b")]
    assert len({public_key_info(key) for key in keys}) == 4


@pytest.mark.parametrize("name", [n for n in WELL_KNOWN if n not in ("rsa-3072", "rsa-4096")] + ["rsa-777"])
def test_a_fresh_key_has_the_requested_kind_and_is_unique(name: str) -> None:
    first, second = (FreshKeys().generate(parse_kind(name), "a") for _ in range(2))
    assert kind_of(first) == parse_kind(name)
    assert to_pkcs8(first) != to_pkcs8(second)
    assert public_key_info(load_private(to_pkcs8(first))) == public_key_info(first)


@pytest.mark.parametrize("size", [512, 513, 767, 1024, 1536])
def test_rsa_keys_of_pkigen_pass_every_check_of_cryptography(size: int) -> None:
    key = SeededKeys("x").generate(parse_kind(f"rsa-{size}"), "a")
    assert isinstance(key, RSAPrivateKey)
    assert key.key_size == size
    checked = key.private_numbers().private_key()
    assert checked.public_key().public_numbers().e == 65537


def test_the_entropy_of_a_seed_depends_on_every_label() -> None:
    entropy = SeededEntropy("x")
    drawn = {entropy.read(16, *labels) for labels in [("a", "b"), ("ab",), ("a", "", "b"), ()]}
    assert len(drawn) == 4
    assert entropy.read(32, "a")[:16] == entropy.read(16, "a")


def test_a_key_identifier_is_that_of_cryptography() -> None:
    from cryptography.x509 import SubjectKeyIdentifier

    key = FreshKeys().generate(parse_kind("ec-p256"), "a")
    assert isinstance(key, EllipticCurvePrivateKey)
    theirs = SubjectKeyIdentifier.from_public_key(key.public_key()).digest
    assert key_identifier(public_key_info(key)) == theirs


def test_a_pool_returns_the_same_key_for_an_owner_and_at_most_its_size(tmp_path: Path) -> None:
    pool, kind = PooledKeys(tmp_path / "pool"), parse_kind("ec-p256")
    first = [to_pkcs8(pool.generate(kind, f"certificates/{number}")) for number in range(200)]
    again = [to_pkcs8(PooledKeys(tmp_path / "pool").generate(kind, f"certificates/{n}")) for n in range(200)]
    assert first == again
    assert len(set(first)) <= SIZE
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "pool").iterdir())


def test_no_two_authorities_share_a_key_of_the_pool(tmp_path: Path) -> None:
    pool, kind = PooledKeys(tmp_path / "pool"), parse_kind("ed25519")
    names = [f"authorities/{prefix}{number}" for prefix in ("ca-", "ca.v") for number in range(1, 51)]
    authorities = {to_pkcs8(pool.generate(kind, name)) for name in names}
    assert len(authorities) == len(names)
    assert to_pkcs8(pool.generate(kind, "authorities/ca-1#1")) not in authorities, "its compromised key"
    copies = {to_pkcs8(pool.generate(kind, f"authorities/ca-1.sensor.fault-{one}")) for one in range(100)}
    assert len(copies) <= SIZE
    assert not copies & authorities


def test_a_key_for_a_mismatch_belongs_to_no_entity(tmp_path: Path) -> None:
    pool, kind = PooledKeys(tmp_path / "pool"), parse_kind("ed25519")
    entities = {to_pkcs8(pool.generate(kind, f"certificates/{number}")) for number in range(200)}
    others = [to_pkcs8(pool.generate(kind, word)) for word in ("other key", "other CA", "cases of sensor")]
    assert len(set(others) - entities) == 3


def test_a_pool_that_others_can_write_is_rejected(tmp_path: Path) -> None:
    pool = PooledKeys(tmp_path / "pool")
    pool.generate(parse_kind("ec-p256"), "a")
    (tmp_path / "pool").chmod(0o777)
    with pytest.raises(EnvironmentFailure, match="not yours alone"):
        PooledKeys(tmp_path / "pool").generate(parse_kind("ec-p256"), "a")


def test_a_key_of_another_kind_in_a_pool_is_reported(tmp_path: Path) -> None:
    pool = PooledKeys(tmp_path / "pool")
    pool.generate(parse_kind("ec-p256"), "a")
    (path,) = (tmp_path / "pool").iterdir()
    path.write_bytes(to_pkcs8(FreshKeys().generate(parse_kind("ed25519"), "a")))
    with pytest.raises(EnvironmentFailure, match="is not a key of kind ec-p256"):
        PooledKeys(tmp_path / "pool").generate(parse_kind("ec-p256"), "a")


def test_a_pool_also_returns_keys_that_only_faults_use(tmp_path: Path) -> None:
    kind = parse_kind("rsa-2048-e3")
    first, again = (PooledKeys(tmp_path / "pool").generate(kind, "a") for _ in range(2))
    assert to_pkcs8(first) == to_pkcs8(again)


def test_a_pool_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure, match="set PKIGEN_KEY_POOL to another directory"):
        PooledKeys(tmp_path / "file" / "pool").generate(parse_kind("ec-p256"), "a")


@pytest.mark.parametrize(
    "name", ["rsa-511", "rsa-8193", "rsa-", "rsa-99999999", "rsa-99999", "ec-p255", "RSA-2048", ""]
)
def test_an_unknown_kind_is_reported(name: str) -> None:
    with pytest.raises(ValueError, match=r"no such kind of key|an RSA key has 512 to 8192 bits"):
        parse_kind(name)


def test_a_fresh_rsa_key_of_an_odd_size_has_this_size() -> None:
    assert kind_of(FreshKeys().generate(parse_kind("rsa-2049"), "a")).size == 2049
