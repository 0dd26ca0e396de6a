"""Files of any source in any combination: which of them belong together, and their findings."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkigen.errors import InputError
from pkigen.inspection.check import CheckOptions, CheckResult, check_files
from pkigen.requirements import load_set
from tests.requirements.environments import Built
from tests.tools import run


def _check(built: Built, *paths: Path, **options: object) -> tuple[CheckResult, ...]:
    check_options = CheckOptions(**{"now": built.clock, **options})  # type: ignore[arg-type]
    return check_files(paths, [load_set("defender-iot")], check_options)


def _one(built: Built, *paths: Path, **options: object) -> CheckResult:
    (result,) = _check(built, *paths, **options)
    return result


def _files(built: Built, name: str = "sensor-01") -> tuple[Path, Path, Path]:
    folder = built.folder / "certificates" / name
    return folder / f"{name}.crt", folder / f"{name}.key", folder / "chain.pem"


def _broken(result: CheckResult) -> set[str]:
    return {one.requirement.id for one in result.broken}


def _undecided(result: CheckResult) -> set[str]:
    return {name for verdict in result.verdicts for name in verdict.undecided}


def test_certificate_key_and_chain_are_distinguished_in_any_order(built: Built) -> None:
    for paths in permutations(_files(built)):
        result = _one(built, *paths)
        assert (result.name, _broken(result)) == (str(_files(built)[0]), set())
        assert result.presented.key is not None
        assert len(result.presented.authorities) == 2


def test_without_a_network_the_crl_is_undecided(built: Built) -> None:
    assert _undecided(_one(built, *_files(built))) == {"crl-reachable", "not-revoked"}


def test_a_crl_among_the_files_stands_in_for_the_one_at_the_url(built: Built) -> None:
    crl = built.folder / "www" / "crl" / "issuing.crl"
    sound = _one(built, *_files(built), crl)
    assert (_broken(sound), _undecided(sound)) == (set(), set())
    revoked = _files(built, "sensor-01.not-revoked-revoked")
    assert _broken(_one(built, *revoked, crl)) == {"not-revoked"}
    assert _broken(_one(built, *revoked, crls=(crl,))) == {"not-revoked"}


def test_a_full_chain_in_one_file_has_its_leaf_and_its_cas(built: Built, tmp_path: Path) -> None:
    crt, key, chain = _files(built)
    path = tmp_path / "full.crt"
    path.write_bytes(crt.read_bytes() + chain.read_bytes())
    result = _one(built, path, key)
    assert result.presented.certificate == built.results["sensor-01"].presented.certificate
    assert _broken(result) <= {"chain-suffix"}
    everything = tmp_path / "everything.pem"
    everything.write_bytes(key.read_bytes() + chain.read_bytes() + crt.read_bytes())
    assert _broken(_one(built, everything)) <= {"certificate-suffix", "key-suffix"}


def test_two_certificates_each_have_the_matching_key(built: Built) -> None:
    first, second = _files(built), _files(built, "sensor-02")
    for paths in ((*first, *second), (*second[::-1], *first)):
        results = _check(built, *paths)
        assert {one.name for one in results} == {str(first[0]), str(second[0])}
        for one in results:
            assert _broken(one) == set()
            assert one.presented.key_source is not None
            assert one.presented.key_source.file == one.name.replace(".crt", ".key")


def test_a_certificate_without_a_key_does_not_get_the_key_of_another(built: Built) -> None:
    first, second = _files(built), _files(built, "sensor-02")
    keys = {one.name: one.presented.key for one in _check(built, *first, second[0])}
    assert keys[str(first[0])] is not None
    assert keys[str(second[0])] is None


def test_the_key_of_another_certificate_is_reported(built: Built) -> None:
    crt, _, chain = _files(built)
    result = _one(built, crt, _files(built, "sensor-02")[1], chain)
    assert _broken(result) == {"key-matches"}
    assert result.verdicts[0].messages == ("Certificate validation failed",)


def test_the_chain_of_another_ca_is_reported(built: Built) -> None:
    crt, key, _ = _files(built)
    other = built.file("chain-issuer-other-ca", "chain")
    assert _broken(_one(built, crt, key, other)) == {"chain-issuer"}


def test_a_certificate_alone_violates_no_requirement_on_other_files(built: Built) -> None:
    result = _one(built, _files(built)[0])
    assert _broken(result) == set()
    assert result.presented.chain is None


def test_a_key_alone_is_checked_as_a_key_and_not_accepted(built: Built) -> None:
    result = _one(built, _files(built)[1])
    assert (_broken(result), result.as_expected, result.verdicts[0].accepted) == (set(), False, False)
    assert [one.problem for one in result.unread] == ["it is a private key, and no certificate was given"]
    status = {one.requirement.id: str(one.outcome.status) for one in result.findings}
    assert (status["key-encoding"], status["key-suffix"], status["public-key-2048"]) == ("pass",) * 3


def test_a_chain_alone_is_checked_as_a_ca(built: Built) -> None:
    results = _check(built, _files(built)[2])
    assert len(results) == 1
    assert results[0].presented.certificate is not None


def test_an_encrypted_key_without_its_passphrase_is_not_decrypted(built: Built) -> None:
    crt, _, chain = _files(built, "sensor-01.key-opens-wrong")
    key = built.file("key-opens-wrong", "key")
    result = _one(built, crt, key, chain)
    assert _broken(result) == {"key-opens"}
    assert "no passphrase was given" in result.broken[0].outcome.actual


def test_a_wrong_passphrase_gives_the_appliances_message(built: Built) -> None:
    crt, _, chain = _files(built, "sensor-01.key-opens-wrong")
    key = built.file("key-opens-wrong", "key")
    result = _one(built, crt, key, chain, passphrases=(b"wrong", b"wrong too"))
    assert _broken(result) == {"key-opens"}
    assert result.verdicts[0].messages == ("Passphrase does not match to the key",)


def test_the_right_passphrase_of_several_is_used(built: Built) -> None:
    crt, _, chain = _files(built, "sensor-01.key-opens-wrong")
    key = built.file("key-opens-wrong", "key")
    result = _one(built, crt, key, chain, passphrases=(b"wrong", b"nobody knows this one"))
    assert _broken(result) == set()


@pytest.mark.needs("openssl")
def test_a_pkcs12_file_contains_all_three_and_is_no_crt(built: Built, tmp_path: Path) -> None:
    crt, key, chain = _files(built)
    path = tmp_path / "sensor.p12"
    export = ("openssl", "pkcs12", "-export", "-in", crt, "-inkey", key, "-certfile", chain, "-out", path)
    run(*export, "-passout", "pass:secret")
    result = _one(built, path, passphrases=(b"secret",))
    assert result.presented.key is not None
    assert len(result.presented.authorities) == 2
    assert _broken(result) >= {"certificate-encoding", "certificate-suffix", "key-encoding", "key-suffix"}
    assert _broken(result) & {"key-matches", "chain-issuer", "chain-complete"} == set()
    for passphrases in ((), (b"wrong",)):
        closed = _one(built, path, passphrases=passphrases)
        assert (closed.as_expected, closed.verdicts[0].accepted) == (False, False)
        assert [("passphrase" in one.problem) for one in closed.unread] == [True]


@pytest.mark.needs("openssl")
def test_an_encrypted_traditional_key_is_decrypted(built: Built, tmp_path: Path) -> None:
    crt, key, chain = _files(built)
    path = tmp_path / "sensor.key"
    command = ("openssl", "rsa", "-in", key, "-aes256", "-traditional", "-out", path)
    run(*command, "-passout", "pass:secret")
    assert b"Proc-Type: 4,ENCRYPTED" in path.read_bytes()
    assert _broken(_one(built, crt, path, chain, passphrases=(b"secret",))) == set()


@pytest.mark.needs("openssl")
def test_der_and_bag_attributes_in_a_chain_are_read(built: Built, tmp_path: Path) -> None:
    crt, key, chain = _files(built)
    der, bags = tmp_path / "sensor.crt", tmp_path / "chain.pem"
    run("openssl", "x509", "-in", crt, "-outform", "DER", "-out", der)
    text = b"Bag Attributes\n    friendlyName: CA\nsubject=/CN=x\n\n"
    bags.write_bytes(chain.read_bytes().replace(b"-----BEGIN", text + b"-----BEGIN"))
    assert _broken(_one(built, der, key, bags)) == set()


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"\x30\x82\xff\xff", b"-----BEGIN CERTIFICATE-----\nxx\n", b"\x00"]
)
def test_a_file_that_is_no_certificate_is_reported(data: bytes, built: Built, tmp_path: Path) -> None:
    path = tmp_path / "sensor.crt"
    path.write_bytes(data)
    alone = _one(built, path)
    assert (alone.as_expected, alone.verdicts[0].accepted) == (False, False)
    assert [bool(one.problem) for one in alone.unread] == [True]
    beside = _one(built, *_files(built), path)
    assert (beside.as_expected, _broken(beside) <= {"chain-only-authorities"}) == (False, True)


def test_a_file_that_cannot_be_opened_is_an_error(built: Built, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.crt.*No such file"):
        _check(built, tmp_path / "none.crt")
    with pytest.raises(InputError, match="there is no certificate in"):
        _check(built, _files(built)[0], trust=(_files(built)[1],))


def test_a_trust_anchor_takes_the_place_of_the_root_in_the_chain(built: Built) -> None:
    crt, key, _ = _files(built)
    short = built.file("chain-complete-without-root", "chain")
    result = _one(built, crt, key, short, trust=(built.folder / "trust.pem",))
    status = {one.requirement.id: str(one.outcome.status) for one in result.findings}
    assert status["chain-of-trust"] == "pass"
    assert _broken(result) == {"chain-complete"}


def test_without_validation_crl_and_path_are_not_checked(built: Built) -> None:
    files = _files(built, "sensor-01.chain-of-trust-expired-authority")
    assert _broken(_one(built, *files)) == {"chain-of-trust"}
    result = _one(built, *files, switches={"validation": False})
    assert _broken(result) == set()
    reasons = {one.requirement.id: one.outcome.reason for one in result.findings}
    assert all(
        "does not validate" in reasons[name] for name in ("crl-reachable", "not-revoked", "chain-of-trust")
    )


@settings(max_examples=60)
@given(file=st.integers(0, 2), at=st.integers(0, 5000), octets=st.binary(max_size=20), gone=st.integers(0, 9))
def test_no_bytes_beside_a_certificate_raise_an_exception(
    built: Built, file: int, at: int, octets: bytes, gone: int
) -> None:
    path = built.folder / ".pkigen" / "random.pem"
    sound = _files(built)[file].read_bytes()
    at %= len(sound)
    path.write_bytes(sound[:at] + octets + sound[at + gone :])
    assert _check(built, path, _files(built)[0])
