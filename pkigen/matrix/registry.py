"""The registry of validators. A validator is one column of the matrix, in a module below ``validators``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pkigen.matrix.validator import CAPABILITIES, Validator

_registered: dict[str, Validator] = {}

AnyValidator = TypeVar("AnyValidator", bound=Validator)


def register(validator: AnyValidator) -> AnyValidator:
    """Add a validator to the matrix, and return it; ValueError if it is incomplete or its name exists."""
    unknown = validator.looks_at - CAPABILITIES.keys()
    if unknown or not validator.looks_at:
        raise ValueError(
            f"validator '{validator.name}': looks_at must contain one or more of {', '.join(CAPABILITIES)}"
        )
    if validator.name in _registered:
        raise ValueError(f"validator '{validator.name}' exists already; choose another name")
    _registered[validator.name] = validator
    return validator


def registered(order: Iterable[str]) -> tuple[Validator, ...]:
    """Return the validators: those that ``order`` names first, the rest by name."""
    rank = {name: number for number, name in enumerate(order)}
    return tuple(
        sorted(_registered.values(), key=lambda entry: (rank.get(entry.name, len(rank)), entry.name))
    )
