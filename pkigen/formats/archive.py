"""Writes ZIP and tar archives without times and owners, so that equal files make equal archives."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping

from pkigen.formats import pem, private_keys
from pkigen.keys.entropy import Entropy
from pkigen.model import Issued

_READABLE, _SECRET = 0o644, 0o600
_REGULAR_FILE = 0o100000


def separate_files(issued: Issued, entropy: Entropy) -> dict[str, bytes]:
    """Return certificate, key and chain by their names in an archive; a missing key or chain has no file."""
    name, chain = issued.entity.name, b"".join(map(pem.certificate, issued.chain))
    files = {f"{name}.crt": pem.certificate(issued.certificates[0])}
    if issued.key is not None:
        files[f"{name}.key"] = private_keys.pkcs8(issued.key, issued.entity.output.passphrase, entropy)
    return {**files, "chain.pem": chain} if chain else files


def zip_archive(files: Mapping[str, bytes]) -> bytes:
    """Return a ZIP archive of files by their names; those with the suffix .key have mode 0600."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3  # Unix, on every system
            info.external_attr = (_REGULAR_FILE | _mode(name)) << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def tar_archive(files: Mapping[str, bytes]) -> bytes:
    """Return a tar archive of files by their names; those with the suffix .key have mode 0600."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), _mode(name)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _mode(name: str) -> int:
    return _SECRET if name.endswith(".key") else _READABLE
