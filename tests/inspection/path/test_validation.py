"""Problems that validate() reports besides OpenSSL's first error, and its robustness against any input."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import crypto

from pkigen.asn1 import names
from pkigen.inspection.path import PathResult, openssl, validate
from pkigen.inspection.path.problems import problem_of_code
from pkigen.x509 import Certificate, CertificateList, Malformed
from tests.effort import calls
from tests.inspection.path.certificates import NOW, certificates, crls
from tests.inspection.path.conftest import Made

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture(scope="session")
def parts(made: Made) -> tuple[Certificate, Certificate, Certificate]:
    """Leaf, intermediate, root."""
    leaf, issuing, top = certificates(made.leaf, *made.chain, *made.trust)
    return leaf, issuing, top


Parts = tuple[Certificate, Certificate, Certificate]


def rules(result: PathResult) -> list[tuple[str, int]]:
    return [(problem.rule, problem.depth) for problem in result.problems]


def test_the_path_is_the_one_that_was_validated_leaf_first(parts: Parts) -> None:
    leaf, issuing, top = parts
    assert validate(leaf, [issuing], [top], at=NOW).path == parts
    assert validate(leaf, [issuing], [], at=NOW).path == (leaf, issuing)


def test_all_problems_of_a_path_are_reported_at_once(made: Made) -> None:
    leaf = made.issuing.issue("all-wrong", "extendedKeyUsage=clientAuth\n", end="20260101000000Z")
    made.issuing.revoke(leaf)
    validation = validate(
        certificates(leaf)[0],
        certificates(*made.chain),
        certificates(*made.trust),
        at=NOW,
        crls=crls(made.issuing.crl("all-wrong"), made.crls[1]),
        check_crls=True,
        host="other.test",
        purpose="server",
    )
    assert sorted(rules(validation)) == [("expired", 0), ("hostname", 0), ("purpose", 0), ("revoked", 0)]


def test_an_expiration_is_reported_once_with_its_time_and_openssls_number(parts: Parts) -> None:
    leaf, issuing, top = parts
    validation = validate(leaf, [issuing], [top], at=NOW.replace(year=2036))
    assert sorted(rules(validation)) == [("expired", 0), ("expired", 1)]
    assert all("(on 2035-01-01 00:00:00Z)" in problem.message for problem in validation.problems)
    assert validation.problems[0].code == 10


def test_an_instant_of_another_time_zone_is_the_same_instant(parts: Parts) -> None:
    leaf, issuing, top = parts
    for hours in (-12, 0, 14):
        zone = timezone(timedelta(hours=hours))
        first = leaf.not_before.astimezone(zone)
        assert validate(leaf, [issuing], [top], at=first).ok
        early = validate(leaf, [issuing], [top], at=first - timedelta(seconds=1))
        assert sorted(rules(early)) == [("not-yet-valid", 0), ("not-yet-valid", 1)]


def test_without_time_checks_neither_certificates_nor_crls_expire(made: Made, parts: Parts) -> None:
    leaf, issuing, top = parts
    late = NOW.replace(year=2200)
    all_crls = crls(*made.crls)
    how = {"at": late, "crls": all_crls, "check_crls": True}
    assert not validate(leaf, [issuing], [top], **how).ok  # type: ignore[arg-type]
    assert validate(leaf, [issuing], [top], check_times=False, **how).ok  # type: ignore[arg-type]


def test_without_time_checks_revocation_and_signatures_are_still_checked(made: Made, parts: Parts) -> None:
    _, issuing, top = parts
    leaf = made.issuing.issue("revoked-untimed")
    made.issuing.revoke(leaf)
    validation = validate(
        certificates(leaf)[0],
        [issuing],
        [top],
        at=NOW.replace(year=2200),
        crls=crls(made.issuing.crl("revoked-untimed"), made.crls[1]),
        check_crls=True,
        check_times=False,
    )
    assert rules(validation) == [("revoked", 0)]


def test_an_anchor_needs_no_crl(made: Made, parts: Parts) -> None:
    leaf, issuing, top = parts
    own, above = crls(*made.crls)
    assert validate(leaf, [], [issuing], at=NOW, crls=[own], check_crls=True, partial=True).ok
    assert rules(validate(leaf, [issuing], [top], at=NOW, crls=[own], check_crls=True)) == [
        ("crl-missing", 1)
    ]
    assert rules(validate(leaf, [], [issuing], at=NOW, crls=[above], check_crls=True, partial=True)) == [
        ("crl-missing", 0)
    ]


def test_an_intermediate_among_the_anchors_still_needs_a_crl_unless_it_may_end_the_path(
    made: Made, parts: Parts
) -> None:
    leaf, issuing, top = parts
    own = crls(made.crls[0])
    anchors = [issuing, top]
    assert rules(validate(leaf, [], anchors, at=NOW, crls=own, check_crls=True)) == [("crl-missing", 1)]
    assert validate(leaf, [], anchors, at=NOW, crls=own, check_crls=True, partial=True).ok


def test_certificates_below_an_anchor_without_a_crl_are_validated(made: Made) -> None:
    leaf = made.issuing.issue("revoked-partial")
    made.issuing.revoke(leaf)
    own = crls(made.issuing.crl("revoked-partial"))
    validation = validate(
        certificates(leaf)[0],
        [],
        certificates(*made.chain),
        at=NOW,
        crls=own,
        check_crls=True,
        partial=True,
        host="other.test",
    )
    assert rules(validation) == [("revoked", 0), ("hostname", 0)]


def test_of_two_issuers_with_one_name_the_signer_is_reported(made: Made) -> None:
    twin = made.root.subordinate("twin", common_name="same")
    other = made.root.subordinate("other-twin", common_name="same", end="20260101000000Z")
    leaf = certificates(twin.issue("below-twin"))[0]
    both = certificates(other.certificate, twin.certificate)
    anchors = certificates(*made.trust)
    assert validate(leaf, both, anchors, at=NOW).ok
    late = validate(leaf, both, anchors, at=NOW.replace(year=2036))
    assert late.path[1] == both[1]


def test_messages_name_the_certificate_and_say_what_to_do(made: Made) -> None:
    leaf = made.issuing.issue("ended", end="20260101000000Z")
    validation = validate(certificates(leaf)[0], certificates(*made.chain), certificates(*made.trust), at=NOW)
    (problem,) = validation.problems
    assert problem.message == "The certificate [CN=ended.test] has expired (on 2026-01-01 00:00:00Z)"
    assert problem.advice == "Renew the certificate, or verify at another time."


def test_an_openssl_error_without_a_text_of_pkigen_has_openssls_text() -> None:
    problem = problem_of_code(55, "Path loop", 1, None)
    assert (problem.rule, problem.code, problem.depth) == ("other", 55, 1)
    assert problem.message == "A certificate of the path: Path loop"


def test_an_error_that_is_not_the_main_one_of_its_rule_has_the_text_of_openssl() -> None:
    first, other = problem_of_code(20, "main text", 0, None), problem_of_code(21, "other text", 0, None)
    assert first.message == "A certificate of the path has an issuer whose certificate is missing"
    assert other.message == f"{first.message} (other text)"
    assert (other.rule, other.code) == ("no-issuer", 21)


def test_an_issuer_that_is_a_ca_without_key_usage_keycertsign_is_not_called_no_ca(made: Made) -> None:
    issuing = made.root.subordinate(
        "no-sign", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n"
    )
    leaf, issuer = certificates(issuing.issue("below"), issuing.certificate)
    (problem,) = validate(leaf, [issuer], certificates(*made.trust), at=NOW).problems
    assert (problem.rule, problem.code) == ("not-a-ca", 79)
    assert problem.message.endswith("issued a certificate without key usage keyCertSign")


def test_the_issuer_whose_certificate_is_missing_is_named(made: Made) -> None:
    (problem,) = validate(certificates(made.leaf)[0], [], certificates(*made.trust), at=NOW).problems
    issuer = names.text(certificates(made.issuing.certificate)[0].subject)
    assert problem.message.endswith(f"has an issuer whose certificate is missing ({issuer})")


class PanicException(BaseException):
    """By this name alone a panic of native code is known."""


@pytest.mark.parametrize(
    "error", [PanicException("panic"), crypto.Error([]), ValueError("no"), TypeError("no")]
)
def test_an_exception_of_a_library_becomes_a_problem(
    error: BaseException, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_data: bytes) -> None:
        raise error

    leaf, issuing, top = parts
    monkeypatch.setattr(openssl, "_loaded", fail)
    validation = validate(leaf, [issuing], [top], at=NOW)
    assert [problem.rule for problem in validation.problems] == ["malformed"]


def test_an_interrupt_is_not_reported_as_a_problem(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_data: bytes) -> None:
        raise KeyboardInterrupt

    leaf, issuing, top = parts
    monkeypatch.setattr(openssl, "_loaded", interrupt)
    with pytest.raises(KeyboardInterrupt):
        validate(leaf, [issuing], [top], at=NOW)


_CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from("rid"), st.binary(min_size=1, max_size=3)),
    min_size=1,
    max_size=4,
)


def _mutated(data: bytes, changes: list[tuple[float, str, bytes]]) -> bytes:
    for where, how, inserted in changes:
        at = int(where * len(data))
        skipped = {"r": len(inserted), "i": 0, "d": len(inserted)}[how]
        data = data[:at] + (b"" if how == "d" else inserted) + data[at + skipped :]
    return data


@settings(max_examples=400)
@given(which=st.integers(0, 3), changes=_CHANGES, checked=st.booleans())
def test_mutated_bytes_cause_problems_and_no_exception(
    made: Made, parts: Parts, which: int, changes: list[tuple[float, str, bytes]], checked: bool
) -> None:
    own = crls(*made.crls)
    encodings = [certificate.der for certificate in parts] + [own[0].der]
    encodings[which] = _mutated(encodings[which], changes)
    with suppress(Malformed):
        leaf, issuing, top = map(Certificate, encodings[:3])
        used = [CertificateList(encodings[3]), own[1]]
        how = {"at": NOW, "host": "leaf.test", "purpose": "server"}
        validation = validate(leaf, [issuing], [top], crls=used, check_crls=checked, **how)  # type: ignore[arg-type]
        assert all(problem.message and problem.advice for problem in validation.problems)
        # Nothing of a certificate below the root can be changed without breaking a signature.
        assert which > 1 or encodings[which] == parts[which].der or not validation.ok


def test_a_path_of_three_needs_less_than_2000_calls(parts: Parts) -> None:
    leaf, issuing, top = parts

    def once() -> object:
        return validate(leaf, [issuing], [top], at=NOW, host="leaf.test", purpose="server")

    once()
    assert calls(once) < 2_000
