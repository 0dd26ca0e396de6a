"""Output formats are registered in one place and found everywhere."""

from __future__ import annotations

import inspect

import pytest

from pkigen.formats import output_formats
from pkigen.formats.output_formats import OUTPUT_FORMATS, format_called, output_format

_PARAMETERS = (["issued", "entropy"], ["issued", "_entropy"])
"""Of a writer."""


def test_every_writer_is_registered() -> None:
    written = {one.write for one in OUTPUT_FORMATS.values()}
    writers = [
        function
        for _, function in inspect.getmembers(output_formats, inspect.isfunction)
        if list(inspect.get_annotations(function))[:2] in _PARAMETERS
    ]
    missing = [function.__name__ for function in writers if function not in written]
    assert not missing, f"add @output_format(name, file, purpose) to {missing} in {output_formats.__file__}"


def test_an_unknown_format_says_where_to_add_one() -> None:
    with pytest.raises(KeyError, match=r"add a function with @output_format\('pkcs7', ...\) to "):
        format_called("pkcs7")


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="two output formats are called 'der'"):
        output_format("der", "NAME.der", "")(lambda issued, entropy: b"")


def test_only_public_certificates_are_readable_by_others() -> None:
    public = [one.name for one in OUTPUT_FORMATS.values() if not one.secret]
    assert public == ["fullchain", "der", "p7b", "truststore"]
