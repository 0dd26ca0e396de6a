"""Fields that name files: passphrases, certificates, keys, certification requests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, ValidationInfo

from pkigen.documents import limits
from pkigen.documents.fields import Parsed
from pkigen.documents.yaml_tree import folder_of
from pkigen.errors import InputError
from pkigen.files import read_file
from pkigen.keys import kind_of, load_private, public_key_info
from pkigen.keys.kinds import DSA, UNSOUND, parse_kind
from pkigen.model import GivenKey
from pkigen.profile.certification_request import Requested, check_possession, read_request


def _parse_passphrase(value: Any, info: ValidationInfo) -> bytes:
    """Return a passphrase from a string, or from the first line of a file."""
    if isinstance(value, dict) and list(value) == ["file"] and isinstance(value["file"], str):
        folder: Path = (info.context or {}).get("folder", Path())
        path = folder_of(value["file"], folder) / value["file"]
        value = (
            read_file(path, limits.KEY_FILE_BYTES).decode("utf-8", "replace").partition("\n")[0].rstrip("\r")
        )
    if not isinstance(value, str):
        raise ValueError("a passphrase is a text, or {file: PATH}")
    if not 1 <= len(value) <= 256:
        raise ValueError("a passphrase has 1 to 256 characters")
    return value.encode()


def _parse_path(value: Any, info: ValidationInfo) -> Path:
    """Return a path relative to the profile; raise ValueError for an unreadable file."""
    if not isinstance(value, str) or not value:
        raise ValueError("this must be the path of a file")
    folder: Path = (info.context or {}).get("folder", Path())
    path = folder_of(value, folder) / value
    read_file(path, limits.KEY_FILE_BYTES)
    return path


Passphrase = Annotated[bytes, BeforeValidator(_parse_passphrase, json_schema_input_type=str | dict[str, str])]
ReadablePath = Annotated[Path, BeforeValidator(_parse_path, json_schema_input_type=str)]


class KeyFromFile(str):
    """The kind of the key in a file that a profile names, with the key itself."""

    __slots__ = ("given_key",)
    given_key: GivenKey

    def __new__(cls, kind: str, given_key: GivenKey) -> KeyFromFile:
        """Return the kind as a string with the key."""
        instance = super().__new__(cls, kind)
        instance.given_key = given_key
        return instance


def _path(value: Any, info: ValidationInfo, what: str) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError(f"this must be the path of {what}")
    folder: Path = (info.context or {}).get("folder", Path())
    return folder_of(value, folder) / value


def _parse_kind(text: str) -> str:
    if text in UNSOUND and text != DSA:
        raise ValueError(f"'{text}' is a key that only faults have; see `pkigen faults --search key`")
    return parse_kind(text).name


def _parse_key(value: Any, info: ValidationInfo) -> str:
    if isinstance(value, str):
        return _parse_kind(value)
    from pkigen.formats.read import read_private_key

    if not isinstance(value, dict) or "file" not in value or value.keys() - {"file", "passphrase"}:
        raise ValueError("a key is a kind such as ec-p256, or {file: PATH} with an optional passphrase")
    passphrase = value.get("passphrase")
    if passphrase is not None and not isinstance(passphrase, str):
        raise ValueError("the passphrase of a key file is a text")
    path = _path(value["file"], info, "a key file")
    secret = None if passphrase is None else passphrase.encode()
    try:
        pkcs8 = read_private_key(read_file(path, limits.KEY_FILE_BYTES), secret)
    except InputError as error:
        raise ValueError(str(error)) from error
    key = load_private(pkcs8)
    return KeyFromFile(kind_of(key).name, GivenKey(public_key_info(key), pkcs8))


def _parse_request(value: Any, info: ValidationInfo) -> Requested:
    path = _path(value, info, "a certification request")
    try:
        requested = read_request(read_file(path, limits.KEY_FILE_BYTES))
    except InputError as error:
        raise ValueError(str(error)) from error
    check_possession(requested)
    _ = requested.key_kind, requested.subject_pairs, requested.names
    return requested


KeyKindField = Annotated[str, Parsed(_parse_kind, "rsa-2048, ec-p256 ...")]
KeyField = Annotated[str, PlainValidator(_parse_key, json_schema_input_type=str | dict[str, str])]
RequestField = Annotated[Requested, PlainValidator(_parse_request, json_schema_input_type=str)]
