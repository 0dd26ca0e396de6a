"""The registry of validators: incomplete ones and duplicates are rejected, and the order of the columns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pkigen.matrix import VALIDATORS
from pkigen.matrix.registry import register
from pkigen.matrix.validators.openssl import DEFAULT


def test_two_validators_of_one_name_are_rejected() -> None:
    with pytest.raises(ValueError, match="'openssl' exists already"):
        register(DEFAULT)


def test_a_validator_without_a_check_is_rejected() -> None:
    with pytest.raises(ValueError, match="'blind': looks_at must contain one or more of path"):
        register(replace(DEFAULT, name="blind", looks_at=frozenset()))


def test_every_validator_has_a_unique_name_and_installation_instructions() -> None:
    names = [validator.name for validator in VALIDATORS]
    assert len({*names}) == len(names)
    assert all(validator.comes_with for validator in VALIDATORS)
