"""The key file: its encoding, its passphrase, and whether the key matches the certificate."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import PurePath
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from pkigen.cases.case import Case
from pkigen.documents.fields import Parsed
from pkigen.inspection.artifacts import KeyFile, Source
from pkigen.requirements.demand import Demand, Needs, Stage, Violation, demand
from pkigen.requirements.file_conditions import FileName, Mode, Suffix, check_file
from pkigen.requirements.outcome import (
    Outcome,
    Status,
    failed,
    not_applicable,
    pass_or_fail,
    passed,
    undecided,
)
from pkigen.requirements.pattern import Pattern
from pkigen.requirements.subject import CheckInput
from pkigen.x509.public_key import is_usable_with


def _parse_characters(text: str) -> Pattern:
    return Pattern(f"[{text}]*")


Characters = Annotated[Pattern, Parsed(_parse_characters, "as in a regular expression's [...]")]
_FORBIDDEN = 'pass word "§"'
_SAMPLE = "abcdefghijklmnop"


@demand
class KeyFileDemand(Demand):
    """The key file: encoding, name, encryption, passphrase, mode; the key is valid and matches.

    ``mode`` are the permissions that the file has at most.
    ``passphrase_characters`` is the content of a character class of a regular expression.
    """

    kind: ClassVar[str] = "key_file"
    field: ClassVar[str | None] = None
    needs: ClassVar[Needs] = Needs.ISSUED
    of_requests: ClassVar[bool] = True

    encodings: tuple[Literal["PEM", "DER"], ...] = ()
    suffixes: tuple[Suffix, ...] = ()
    name: FileName | None = None
    mode: Mode | None = None
    formats: tuple[Literal["PKCS#8", "PKCS#1", "SEC 1"], ...] = ()
    encryption: Literal["any", "required", "forbidden"] = "any"
    opens: bool = False
    sound: bool = False
    matches: bool = False
    passphrase_characters: Characters | None = None
    passphrase_minimum: Annotated[int, Field(ge=1, le=1024)] | None = None
    passphrase_maximum: Annotated[int, Field(ge=1, le=1024)] | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> KeyFileDemand:
        if not self.model_fields_set:
            raise ValueError(
                "no condition given; set at least one of encodings, suffixes, matches, opens ..."
            )
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Check the file that the key was read from."""
        key, source = subject.key, subject.key_source
        if key is None or source is None:
            return not_applicable(subject.missing("key file"))
        if self.encodings and source.encoding not in self.encodings:
            return failed(source.encoding, " or ".join(self.encodings))
        if outcome := check_file(source, self.suffixes, self.name, self.mode):
            return outcome
        if self.formats and key.format not in self.formats:
            return failed(key.format, " or ".join(self.formats))
        if self.encryption != "any" and key.encrypted is not (self.encryption == "required"):
            expected = "an encrypted key" if self.encryption == "required" else "a key without encryption"
            return failed(_encryption(key.encrypted), expected)
        conditions = (
            (self.opens, self._opens),
            (self.sound, self._sound),
            (self.matches, self._matches),
            (self._limits_passphrase, self._check_passphrase),
        )
        outcomes = [check(subject, key) for applies, check in conditions if applies]
        if not outcomes:
            return passed(self._summary(key, source))
        # A violated condition decides, then one that cannot be checked, then one that holds.
        return min(
            outcomes,
            key=lambda one: (
                one.status is not Status.FAIL,
                not one.undecided,
                one.status is not Status.PASS,
            ),
        )

    def _opens(self, subject: CheckInput, key: KeyFile) -> Outcome:
        if key.pkcs8 is None and not subject.passphrase_known:
            return undecided("the key is encrypted, and no passphrase was given")
        actual = key.problem or ("decrypted" if key.encrypted else "not encrypted")
        return pass_or_fail(key.pkcs8 is not None, actual, "a key that the passphrase decrypts")

    def _sound(self, _subject: CheckInput, key: KeyFile) -> Outcome:
        return pass_or_fail(not key.unsound, key.unsound or "consistent", "a consistent key")

    def _matches(self, subject: CheckInput, key: KeyFile) -> Outcome:
        if subject.certificate is None:
            return not_applicable("there is no certificate")
        if key.public is None:
            unread = f"the key cannot be read: {key.problem}"
            is_open = key.encrypted and not subject.passphrase_known
            return undecided(unread) if is_open else not_applicable(unread)
        same = is_usable_with(key.public.der, subject.certificate.subject_public_key_info)
        actual = "the certificate's key" if same else f"another key ({key.public.name})"
        return pass_or_fail(same, actual, "the certificate's key")

    @property
    def _limits_passphrase(self) -> bool:
        return bool(self.passphrase_characters or self.passphrase_minimum or self.passphrase_maximum)

    def _check_passphrase(self, _subject: CheckInput, key: KeyFile) -> Outcome:
        if not key.encrypted or key.passphrase is None:
            return not_applicable("the key has no passphrase")
        text = key.passphrase.decode("utf-8", "replace")
        if self.passphrase_characters and not self.passphrase_characters.matches(text):
            return failed("other characters", f"only {self.passphrase_characters[:-1]}")
        least, most = self.passphrase_minimum or 0, self.passphrase_maximum or len(text)
        return pass_or_fail(least <= len(text) <= most, f"{len(text)} characters", f"{least} to {most}")

    def _summary(self, key: KeyFile, source: Source) -> str:
        """Return the actual value of a check that looks only at the form of the file."""
        values = (
            (self.encodings, str(source.encoding)),
            (self.suffixes, PurePath(source.file).suffix),
            (self.mode is not None and source.mode is not None, f"mode {source.mode or 0:04o}"),
            (self.formats, key.format),
            (self.encryption != "any", _encryption(key.encrypted)),
        )
        summary = ", ".join(value for is_condition, value in values if is_condition)
        return summary or str(source.encoding)

    def violations(self) -> Iterator[Violation]:
        """Another encoding, name, format or encryption; an unknown or invalid passphrase; another key."""
        yield from self._violations_of_form()
        if self.opens:
            yield _altered(
                "wrong", "The passphrase does not decrypt the key.", "wrong-passphrase", stage="file"
            )
            yield _altered(
                "none", "The key is encrypted with an unknown passphrase.", "no-passphrase", stage="file"
            )
        if self.sound:
            says = "The numbers of the private key are inconsistent."
            yield _altered("unsound", says, "unsound", stage="file", sent=False)
        if self.matches:
            yield _altered("other", "The key file contains another key.", "other-key", stage="file")
        yield from self._violations_of_passphrase()

    def _violations_of_form(self) -> Iterator[Violation]:
        if self.encodings and "DER" not in self.encodings:
            yield _altered("der", "The key file is DER.", "der", stage="file", sent=False)
        if self.suffixes:
            yield _altered("txt", "The name of the key file ends in .txt.", "rename", ".txt")
        if self.name is not None:
            other_name = self.name.counterexample
            yield _altered("name", f"The name of the key file is {other_name}.", "rename", other_name)
        if self.mode is not None:
            yield _altered("mode", "Every user can read the key file.", "readable")
        if self.formats and "PKCS#1" not in self.formats:
            yield _altered(
                "traditional", "The key is in its traditional format (PKCS#1 or SEC 1).", "traditional"
            )
        if self.formats and "PKCS#8" not in self.formats:
            yield _altered("pkcs8", "The key is in the format PKCS#8.", "pkcs8")
        if self.encryption == "forbidden":
            yield _altered("encrypted", "The key is encrypted.", "passphrase", _SAMPLE)
        if self.encryption == "required":
            yield _altered("plain", "The key is not encrypted.", "plain")

    def _violations_of_passphrase(self) -> Iterator[Violation]:
        if self.passphrase_characters and not self.passphrase_characters.matches(_FORBIDDEN):
            words = "The passphrase of the key has forbidden characters."
            yield _altered("characters", words, "passphrase", _FORBIDDEN)
        if self.passphrase_minimum is not None and self.passphrase_minimum > 1:
            words = "The passphrase of the key is too short."
            yield _altered("short", words, "passphrase", _sample(self.passphrase_minimum - 1))
        if self.passphrase_maximum is not None:
            words = "The passphrase of the key is too long."
            yield _altered("long", words, "passphrase", _sample(self.passphrase_maximum + 1))


def _encryption(encrypted: bool) -> str:
    return "encrypted" if encrypted else "not encrypted"


def _sample(length: int) -> str:
    return (_SAMPLE * (length // len(_SAMPLE) + 1))[:length]


def _altered(
    variant: str, says: str, how: str, argument: str = "", *, stage: Stage = None, sent: bool = True
) -> Violation:
    change = partial(Case.alter, file="key", how=how, argument=argument)
    return Violation(variant, says, change, stage, file="key", sent=sent)
