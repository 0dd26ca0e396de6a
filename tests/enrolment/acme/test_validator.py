"""Validation in the background: its threads, and errors that no code expects."""

from __future__ import annotations

import time
from queue import Queue
from typing import Any

import pytest

from pkigen.enrolment.acme.service import AcmeService
from pkigen.enrolment.acme.validation import dns_01, validator
from pkigen.enrolment.acme.validation.validator import Validator
from tests.enrolment.acme.client import AcmeClient
from tests.enrolment.acme.conftest import Directories


def test_an_unexpected_error_makes_the_challenge_invalid(
    client: AcmeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(dns_01, "validate", fail)
    (url,) = client.order("a.contoso.test").json()["authorizations"]
    client.post(client.challenge(url)["url"], {})
    assert client.finished(url, "pending")["status"] == "invalid"
    error = client.challenge(url)["error"]
    assert error["type"].endswith(":serverInternal")
    assert error["detail"] == "the challenge cannot be validated: RuntimeError"


def test_validations_one_after_the_other_share_a_thread(
    directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    validated = Queue[Any]()
    monkeypatch.setattr(validator, "record_validation", lambda *arguments: validated.put(arguments))
    template, enroller = directories.enroller.templates["sensors"], directories.enroller
    assert template.settings.acme is not None
    service = AcmeService(template, template.settings.acme, enroller, directories.state, directories.faults)
    validations = Validator(service)
    for number in range(5):
        validations.start("none", number)
        assert validated.get(timeout=20) == (service, "none", number, None)
        ends = time.monotonic() + 20
        while validations._idle == 0:
            assert time.monotonic() < ends
            time.sleep(0)
    assert validations._threads == 1
