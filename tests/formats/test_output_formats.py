"""Output formats are registered in one place and found everywhere."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from pkigen import build
from pkigen.formats import output_formats
from pkigen.formats.output_formats import OUTPUT_FORMATS, format_called, output_format
from tests.openssl import with_new_names
from tests.tools import run

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


def test_an_unknown_format_is_an_error_that_says_where_to_add_one() -> None:
    with pytest.raises(KeyError, match=r"add a function with @output_format\('pkcs7', ...\) to "):
        format_called("pkcs7")


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="two output formats are called 'der'"):
        output_format("der", "NAME.der", "")(lambda issued, entropy: b"")


def test_only_public_certificates_are_readable_by_others() -> None:
    public = [one.name for one in OUTPUT_FORMATS.values() if not one.secret]
    assert public == ["fullchain", "der", "p7b", "truststore"]


@pytest.mark.needs("openssl")
def test_the_combined_file_begins_with_the_certificate_and_has_the_key_and_every_ca(tmp_path: Path) -> None:
    built = build("vrops", tmp_path)["vrops"]
    combined = built.folder / "certificates/vrops/vrops.combined.pem"
    labels = re.findall("-----BEGIN (.*)-----", combined.read_text())
    assert labels == ["CERTIFICATE", "PRIVATE KEY", "CERTIFICATE", "CERTIFICATE"]
    first = run("openssl", "x509", "-in", combined, "-noout", "-pubkey")
    assert first == run("openssl", "pkey", "-in", combined, "-pubout")
    run("openssl", "crl2pkcs7", "-nocrl", "-certfile", combined, "-out", tmp_path / "all.p7b")
    listed = run("openssl", "pkcs7", "-in", tmp_path / "all.p7b", "-print_certs", "-noout")
    assert re.findall(r"subject=.*CN=(.*)", with_new_names(listed)) == [
        "vrops.vsphere.example",
        "Contoso Operations Test Issuing CA",
        "Contoso Operations Test Root CA",
    ]
    assert combined.stat().st_mode & 0o077 == 0
