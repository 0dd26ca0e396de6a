"""The YAML format of a scenario: actions on a lab and expected results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from pkigen.clock import Span, parse_span
from pkigen.documents import limits
from pkigen.documents.fields import Parsed, Value, unknown
from pkigen.documents.validation import details_of, words_of
from pkigen.documents.yaml_tree import Table, locate, parse
from pkigen.errors import InputError, Problem, visible
from pkigen.files import read_file
from pkigen.lab.connections.connection import ConnectionState

SHIPPED_DIR = Path(__file__).parent.parent / "scenarios"
"""Directory of the shipped scenarios."""

RIGHT = "right"
"""Value of ``clock`` that resets it to the machine's time."""

_MOST_STEPS = 200
_LONGEST = 600.0

Name = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Seconds = Annotated[float, Field(ge=0, le=_LONGEST)]
OnOff = Literal["start", "stop"]


_OF = {
    "connection": ("state", "message", "blames", "queued"),
    "appliance": ("presents", "shows"),
    "receiver": ("shows",),
}
"""The expectations that apply to each kind of subject."""


def _parse_profile(value: Any) -> str | Mapping[str, Any]:
    if isinstance(value, str) and value:
        return str(value)
    if isinstance(value, Mapping):
        return value
    raise ValueError("must be the name or path of a profile, or a profile that extends one")


def _parse_move(text: str) -> Span | str:
    return RIGHT if text == RIGHT else parse_span(text)


class UploadStep(Value):
    """An upload of a certificate of the environment; the appliance must accept it.

    If ``refused`` is set, the appliance must reject it with exactly these messages, given by their keys in
    the requirement set or as text.
    """

    to: Name
    certificate: Name
    crl_check: bool = True
    refused: tuple[Text, ...] = ()


class AlertStep(Value):
    """An alert that a sensor raises."""

    at: Name
    title: Text
    severity: Annotated[int, Field(ge=0, le=10)] = 5


class ValidationStep(Value):
    """Switches certificate validation of an appliance on or off."""

    of: Name
    to: Literal["mandatory", "none"]


class EnrollStep(Value):
    """A certificate that an appliance requests itself; ``fails`` is a part of the reason if it gets none."""

    appliance: Name
    fails: Text | None = None


class Expectation(Value):
    """An expected state of one connection, appliance or receiver; ``*`` in a name matches several.

    Connection: its ``state``, a ``message`` (by its key or as text), the certificate that it ``blames``, the
    number of alerts that are ``queued``. Appliance: the certificate that it ``presents`` (``local``: the
    locally self-signed one), the text of an alert that it ``shows``. Receiver: the text of an alert that it
    ``shows`` exactly once.
    """

    connection: Name | None = None
    appliance: Name | None = None
    receiver: Name | None = None
    state: ConnectionState | None = None
    message: Text | None = None
    blames: Text | None = None
    queued: Annotated[int, Field(ge=0)] | None = None
    presents: Name | None = None
    shows: Text | None = None
    within: Seconds | None = None

    @model_validator(mode="after")
    def _of_one(self) -> Expectation:
        of = [kind for kind in _OF if getattr(self, kind) is not None]
        if len(of) != 1:
            raise ValueError("specify exactly one of connection, appliance and receiver")
        allowed = _OF[of[0]]
        conditions = self.model_fields_set - {*_OF, "within"}
        if stray := conditions - {*allowed}:
            raise ValueError(f"'{min(stray)}' does not apply to a {of[0]}; use {', '.join(allowed)}")
        if not conditions:
            raise ValueError(f"no expectation given; set at least one of {', '.join(allowed)}")
        return self

    @property
    def kind(self) -> str:
        """Kind of the subject: ``connection``, ``appliance`` or ``receiver``."""
        return next(kind for kind in _OF if getattr(self, kind) is not None)

    @property
    def of(self) -> str:
        """Name of the subject."""
        return str(getattr(self, self.kind))


class Step(Value):
    """One action or expectation; ``says`` is its title in the report."""

    says: Text | None = None
    upload: UploadStep | None = None
    stay: Name | None = None
    alert: AlertStep | None = None
    validation: ValidationStep | None = None
    revoke: Name | None = None
    unrevoke: Name | None = None
    renew: Name | None = None
    enroll: EnrollStep | None = None
    crl_server: OnOff | None = None
    clock: Annotated[Span | str | None, Parsed(_parse_move, "a span such as 31d, or 'right'")] = None
    wait: Seconds | None = None
    expect: Expectation | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        if len(self.model_fields_set - {"says"}) != 1:
            known = ", ".join(name for name in type(self).model_fields if name != "says")
            raise ValueError(f"a step needs exactly one action; choose one of {known}")
        return self

    @property
    def kind(self) -> str:
        """Name of the action."""
        (kind,) = self.model_fields_set - {"says"}
        return kind


class Scenario(Value):
    """A scenario; ``within`` is the time limit of expectations in seconds."""

    title: Text
    profile: Annotated[str | Mapping[str, Any], Parsed(_parse_profile, "a profile", "")] = "demo"
    within: Seconds = 20.0
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=_MOST_STEPS)]


def names() -> tuple[str, ...]:
    """Return the names of the shipped scenarios, sorted."""
    return tuple(sorted(path.stem for path in SHIPPED_DIR.glob("*.yaml")))


def path_of(source: str) -> Path:
    """Return the file for a path or the name of a shipped scenario; InputError if there is none."""
    path = Path(source)
    if path.is_file():
        return path
    if source in names():
        return SHIPPED_DIR / f"{source}.yaml"
    words = unknown("shipped scenario", visible(source), names())
    raise InputError(f"file {visible(source)} does not exist; {words}")


def read_scenario(path: Path) -> Scenario:
    """Read a scenario; the InputError lists all errors."""
    try:
        tree = parse(read_file(path, limits.FILE_BYTES), str(path))
    except ValueError as error:
        raise InputError(str(error)) from error
    try:
        return Scenario.model_validate(tree)
    except ValidationError as error:
        details = details_of(error)[: limits.PROBLEMS]
        raise InputError([_problem(tree, one) for one in details]) from error


def _problem(tree: Table, detail: Any) -> Problem:
    path: tuple[Any, ...] = detail["loc"]
    words, suggestion = words_of(detail, Scenario, path)
    if detail["type"] == "missing":
        words = f"'{path[-1]}' is missing"
    where = visible(".".join(map(str, path)))
    return Problem(visible(words), where, locate(tree, path) or tree.location, suggestion)
