"""Parses forms within size limits, and converts them to uploads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from pkigen.errors import visible
from pkigen.lab.appliance.upload import (
    MAX_FILE_BYTES,
    File,
    Upload,
    base_name,
)

MAX_BODY_BYTES = 3 * MAX_FILE_BYTES + 64 * 1024
"""Maximum size of a request body in bytes: three files and the other fields."""
UPLOAD = ("name", "passphrase", "key", "certificate", "chain", "crl_check")
_MOST_FIELDS = 16
_LONGEST_TEXT = 4096
_LONGEST_TITLE = 100
_LONGEST_PASSPHRASE = 1024
_BOUNDS = {"max_files": _MOST_FIELDS, "max_fields": _MOST_FIELDS, "max_part_size": _LONGEST_TEXT}
_ON = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class FormFields:
    """The fields of a form; they may contain a passphrase and a key."""

    texts: dict[str, str] = field(repr=False)
    files: dict[str, File] = field(repr=False)


async def read_fields(request: Request, known: Sequence[str]) -> FormFields:
    """Read a form; HTTPException for unknown or repeated fields and for anything too large."""
    media, parameters = parse_options_header(request.headers.get("content-type", ""))
    # Forms are in UTF-8 (HTML, 4.10.21.8); other codecs may yield strings that cannot be encoded.
    if parameters.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"us-ascii"):
        raise HTTPException(415, "Send the form in UTF-8.")
    try:
        if media != b"multipart/form-data":
            return await _checked(await request.form(**_BOUNDS), known)
        # Not request.form(), which hides the message of the parser behind an error of its own.
        parser = _Parts(request.headers, request.stream(), **_BOUNDS)
        try:
            return await _checked(await parser.parse(), known)
        finally:
            parser.close()
    except MultiPartException as error:
        raise HTTPException(400, f"The form cannot be read: {error.message.rstrip('.')}.") from error
    except ClientDisconnect as error:
        raise HTTPException(400, "The request ended before its body was complete.") from error


class _Parts(MultiPartParser):
    """A parser that can also close the file of an incomplete part, which no public attribute returns."""

    def close(self) -> None:
        """Close all files."""
        for file in self._files_to_close_on_error:
            file.close()


async def _checked(form: FormData, known: Sequence[str]) -> FormFields:
    texts, files = dict[str, str](), dict[str, File]()
    for name, value in form.multi_items():
        if name not in known:
            fields = ", ".join(one for one in known if one != "csrf")
            raise HTTPException(422, f"Unknown field '{visible(name)[:60]}'; the fields are {fields}.")
        if name in texts or name in files:
            raise HTTPException(422, f"The field '{name}' occurs more than once.")
        if isinstance(value, UploadFile):
            data = await value.read(MAX_FILE_BYTES + 1)
            if len(data) > MAX_FILE_BYTES:
                most = f"the maximum is {MAX_FILE_BYTES // 1024} KiB"
                raise HTTPException(413, f"The file in the field '{name}' is too large; {most}.")
            # Browsers send a file field without a selected file as an empty file without a name.
            if value.filename or data:
                files[name] = File(base_name(value.filename or ""), data)
        elif len(value) > _LONGEST_TEXT:
            raise HTTPException(413, f"The field '{name}' is too long.")
        else:
            texts[name] = value
    return FormFields(texts, files)


def parse_upload(fields: FormFields, *, box: bool) -> Upload:
    """Convert a form to an upload; HTTPException if it is incomplete.

    ``box`` means a form of the console, where an unchecked box is not sent.
    """
    misplaced = next((name for name in ("certificate", "key", "chain") if name in fields.texts), None)
    if misplaced is not None:
        raise HTTPException(422, f"The field '{misplaced}' must contain a file, not text.")
    missing = [name for name in ("certificate", "key") if name not in fields.files]
    if missing:
        raise HTTPException(422, f"Select a file for the {' and '.join(missing)}.")
    stray = next((name for name in ("name", "passphrase", "crl_check") if name in fields.files), None)
    if stray is not None:
        raise HTTPException(422, f"The field '{stray}' must contain text, not a file.")
    title = fields.texts.get("name", "").strip() or fields.files["certificate"].name
    passphrase = fields.texts.get("passphrase", "")
    if len(title) > _LONGEST_TITLE:
        raise HTTPException(422, f"The certificate name must not exceed {_LONGEST_TITLE} characters.")
    if len(passphrase) > _LONGEST_PASSPHRASE:
        raise HTTPException(422, f"The passphrase must not exceed {_LONGEST_PASSPHRASE:,} characters.")
    return Upload(
        title,
        fields.files["certificate"],
        fields.files["key"],
        fields.files.get("chain"),
        passphrase.encode() or None,
        _is_checked(fields, box=box),
    )


def _is_checked(fields: FormFields, *, box: bool) -> bool:
    value = fields.texts.get("crl_check")
    if value is None:
        return not box
    if value.lower() not in _ON:
        raise HTTPException(422, "The field 'crl_check' must be on or off.")
    return _ON[value.lower()]
