"""ZIP and tar archives, also damaged, encrypted and huge ones."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pkigen.formats import pem
from pkigen.formats.archive import tar_archive, zip_archive
from pkigen.inspection.artifacts import FILE_BYTES, Encoding, Kind, read
from tests.inspection.artifacts.test_read import block, made, openssl_only

__all__ = ["made"]


def _deflated(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


@openssl_only
@pytest.mark.parametrize("write", [zip_archive, tar_archive])
def test_the_objects_of_an_archive_are_read_with_the_names_of_their_files(
    write: Callable[[dict[str, bytes]], bytes], made: Path
) -> None:
    files = {name: (made / name).read_bytes() for name in ("one.crt", "one.key")}
    archive = write({**files, "readme.txt": b"Hello", "inner.zip": zip_archive(files)})
    artifacts = read(archive, "delivery")
    assert [one.kind for one in artifacts] == [Kind.CERTIFICATE, Kind.KEY]
    assert [one.source.label for one in artifacts] == ["one.crt", "one.key"]
    assert {one.source.encoding for one in artifacts} <= {Encoding.ZIP, Encoding.TAR}
    assert artifacts[0].der == block(made, "one.crt")
    assert write(files) == write(files)


_ZIP = _deflated("a.crt", pem.encode("CERTIFICATE", bytes(1000)))


def _encrypted() -> bytes:
    data = bytearray(_ZIP)
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _tar_with_a_link() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        link = tarfile.TarInfo("a.crt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_ZIP[: len(_ZIP) // 2], "the archive cannot be read"),
        (_encrypted(), "the archive cannot be read"),
        (_deflated("a.crt", bytes(FILE_BYTES + 1)), "the archive is too large"),
        (zip_archive({str(number): b"" for number in range(1100)}), "the archive is too large"),
        (_tar_with_a_link(), "contains no certificate"),
        (zip_archive({"readme.txt": b"Hello"}), "contains no certificate"),
        (tar_archive({"a.crt": bytes(2000)})[:900], "contains no certificate|cannot be read"),
    ],
    ids=["cut", "encrypted", "bomb", "many", "link", "other", "tar-cut"],
)
def test_an_archive_that_cannot_be_used_has_a_problem(data: bytes, words: str) -> None:
    (artifact,) = read(data, "delivery.zip")
    assert artifact.kind is Kind.UNKNOWN
    assert re.search(words, artifact.problem)
