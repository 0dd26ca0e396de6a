"""What the appliance says at upload: each of its messages, for the faults that it is meant for."""

from __future__ import annotations

from collections import defaultdict

import pytest

from pkigen.requirements import load_set
from tests.requirements.environments import Environments

SETS = ("defender-iot", "defender-iot-2020", "defender-iot-current")
MESSAGES = {
    "passphrase": {"key-opens-wrong", "key-opens-none"},
    "chain": {"chain-issuer-other-ca", "chain-issuer-without-issuer"},
    "expired": {"not-after-future-expired", "not-after-future-by-a-second"},
    "revoked": {"not-revoked-revoked", "not-revoked-on-hold"},
    "unreachable": {"crl-reachable-unpublished", "crl-reachable-stale"},
    "otherwise": {
        "not-before-past-not-yet-valid",
        "key-sound-unsound",
        "key-matches-other",
        "chain-of-trust-expired-authority",
        "chain-of-trust-no-certsign",
    },
}
"""Message -> the faults that must give it, and it alone. All others are taken."""

WORDS = {
    "passphrase": "Passphrase does not match to the key",
    "chain": "Cannot validate chain of trust. The provided Certificate and Root CA don't match.",
    "expired": "This SSL certificate has expired and isn't considered valid.",
    "revoked": ("This certificate has been revoked by the CRL and can't be trusted for a secure connection"),
    "unreachable": (
        "The CRL (Certificate Revocation List) location is not reachable. "
        "Verify the URL can be accessed from this appliance"
    ),
    "otherwise": "Certificate validation failed",
}


@pytest.mark.parametrize("name", SETS)
def test_the_messages_are_the_appliances_own_word_for_word(name: str) -> None:
    against = load_set(name)
    assert {**against.messages, "otherwise": against.otherwise} == WORDS


@pytest.mark.parametrize("name", SETS)
def test_each_message_is_shown_for_its_faults(name: str, environments: Environments) -> None:
    keys = {words: key for key, words in WORDS.items()}
    given = defaultdict[str, set[str]](set)
    for fault, case in environments.of(name).cases.items():
        for words in case["fault"]["messages"]:
            given[keys[words]].add(fault)
    assert given == MESSAGES


@pytest.mark.parametrize("name", SETS)
def test_only_a_rejected_upload_shows_a_message(name: str, environments: Environments) -> None:
    refused = set().union(*MESSAGES.values())
    for fault, case in environments.of(name).cases.items():
        assert case["fault"]["accepted"] is (fault not in refused), fault
        assert len(case["fault"]["messages"]) == (fault in refused), fault


@pytest.mark.parametrize("name", SETS)
def test_check_returns_the_same_message_as_an_upload(name: str, environments: Environments) -> None:
    built = environments.of(name)
    for case in built.cases.values():
        (verdict,) = built.results[case["name"]].verdicts
        assert list(verdict.messages) == case["fault"]["messages"], case["name"]
