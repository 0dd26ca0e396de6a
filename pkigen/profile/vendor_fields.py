"""Extensions of Windows, of Modbus and of certificate transparency in a profile."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from pkigen.clock import parse_moment
from pkigen.documents.fields import Parsed, Schema, Value
from pkigen.profile.extension_fields import AT_LEAST_ONE, Listed, Oid
from pkigen.profile.name_fields import parse_hex
from pkigen.profile.time_fields import Instant

_SID = re.compile(r"S-1-(0|[1-9][0-9]{0,14})(-(0|[1-9][0-9]{0,9})){1,15}")
_LOG_ID_DIGITS = 64
_MOST_TIMESTAMPS = 20
_VERSION = Field(ge=0, lt=2**32)


def _parse_sid(text: str) -> str:
    if not _SID.fullmatch(text) or any(int(part) >= 1 << 32 for part in text.split("-")[3:]):
        raise ValueError(f"'{text}' is not a security identifier such as S-1-5-21-1004336348-1177238915-1104")
    return str(text)


def _parse_template_name(text: str) -> str:
    if not 1 <= len(text) <= 64 or not text.isprintable() or max(text) > "\uffff":
        raise ValueError(f"'{text}' is not the name of a template, such as DomainController")
    return str(text)


def _parse_role(text: str) -> str:
    if not 1 <= len(text) <= 255 or not text.isprintable():
        raise ValueError("a Modbus role is a text of 1 to 255 characters, such as Operator")
    return str(text)


def _parse_log(text: str) -> bytes:
    """Return the ID of a log: 64 hexadecimal digits, or the SHA-256 of an invented name."""
    if len(text) == _LOG_ID_DIGITS:
        return parse_hex(text, "the ID of a log")
    if not 1 <= len(text) < _LOG_ID_DIGITS:
        raise ValueError("a log is its ID in 64 hexadecimal digits, or any shorter name")
    return sha256(text.encode()).digest()


SecurityIdentifier = Annotated[str, Parsed(_parse_sid, "a SID such as S-1-5-21-1-2-3-1104")]
TemplateName = Annotated[str, Parsed(_parse_template_name, "a name such as DomainController")]
ModbusRole = Annotated[str, Parsed(_parse_role, "a role such as Operator")]


class CertificateTemplate(Value):
    """Certificate template of Windows (MS-WCCE, 2.2.2.7.7.2); a bare OID if it has no version."""

    oid: Oid
    major: Annotated[int, _VERSION] | None = None
    minor: Annotated[int, _VERSION] | None = None

    _short: ClassVar[Schema | None] = {"type": "string", "description": "a template by its OID"}

    @model_validator(mode="before")
    @classmethod
    def _from_oid(cls, value: Any) -> Any:
        return {"oid": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _major_first(self) -> Self:
        if self.minor is not None and self.major is None:
            raise ValueError("a template with a minor version needs a major version")
        return self

    @property
    def versions(self) -> tuple[int, ...]:
        """The major and minor version, as far as the template has them."""
        return tuple(number for number in (self.major, self.minor) if number is not None)


class SignedTimestamp(Value):
    """An SCT: the ID of its log, and its time (default: when the certificate is issued)."""

    log: Annotated[bytes, Parsed(_parse_log, "a log by name, or its ID in hexadecimal")]
    at: Instant = parse_moment("+0s")

    _short: ClassVar[Schema | None] = {"type": "string", "description": "a log by name or ID"}

    @model_validator(mode="before")
    @classmethod
    def _from_log(cls, value: Any) -> Any:
        return {"log": value} if isinstance(value, str) else value


class SignedTimestamps(Listed):
    """SCTs of logs that do not exist (RFC 6962, 3.3); a number if only the number matters."""

    _list = "logs"
    _example = "[log-1, log-2]"
    _short: ClassVar[Schema | None] = {"type": ["integer", "array"]}
    logs: Annotated[tuple[SignedTimestamp, ...], AT_LEAST_ONE, Field(max_length=_MOST_TIMESTAMPS)]
    critical: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not re.fullmatch("[0-9]{1,4}", value) or not 1 <= int(value) <= _MOST_TIMESTAMPS:
            raise ValueError(f"'{value}' is not a number of timestamps from 1 to {_MOST_TIMESTAMPS}")
        return [f"log-{number}" for number in range(1, int(value) + 1)]
