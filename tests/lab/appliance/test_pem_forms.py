"""An upload and ``pkigen check`` accept the same PEM files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkigen.formats import pem
from pkigen.inspection.check import CheckOptions, check_files
from pkigen.lab.appliance.upload import File, Upload, check_upload
from pkigen.requirements import load_set
from tests.inspection.path.hierarchies import NOW, issue

_ROOT = issue("PEM Root", ca=True)
_CA = issue("PEM CA", _ROOT, ca=True)
_LEAF = issue("leaf", _CA)
_PKCS8 = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
_FILES = {
    "leaf.crt": pem.encode("CERTIFICATE", _LEAF.der),
    "leaf.key": _LEAF.key.private_bytes(*_PKCS8),
    "chain.pem": pem.encode("CERTIFICATE", _CA.der) + pem.encode("CERTIFICATE", _ROOT.der),
}


def _without_boundaries(data: bytes) -> bytes:
    return b"".join(line for line in data.splitlines(keepends=True) if b"-----" not in line)


_FORMS: dict[str, tuple[bool, Callable[[bytes], bytes]]] = {
    "unchanged": (True, lambda data: data),
    "CR LF": (True, lambda data: data.replace(b"\n", b"\r\n")),
    "text before and after": (True, lambda data: b"subject=CN\n" + data + b"\nend\n"),
    "spaces at the ends of lines": (True, lambda data: data.replace(b"-----\n", b"----- \n")),
    "without a final line break": (True, bytes.rstrip),
    "byte order mark": (True, lambda data: b"\xef\xbb\xbf" + data),
    "indented": (False, lambda data: b"".join(b"  " + line for line in data.splitlines(keepends=True))),
    "only BEGIN is indented": (False, lambda data: data.replace(b"-----BEGIN", b" -----BEGIN")),
    "text before BEGIN on its line": (False, lambda data: data.replace(b"-----BEGIN", b"x -----BEGIN")),
    "text after END on its line": (False, lambda data: data.rstrip() + b" end\n"),
    "UTF-16": (False, lambda data: b"\xff\xfe" + data.decode().encode("utf-16-le")),
    "CR": (False, lambda data: data.replace(b"\n", b"\r")),
    "base64 without BEGIN and END": (False, _without_boundaries),
    "base64 on one line": (False, lambda data: _without_boundaries(data).replace(b"\n", b"")),
    "escaped line breaks": (False, lambda data: data.replace(b"\n", b"\\n")),
    "another label": (
        False,
        lambda data: data.replace(b"CERTIFICATE", b"CERT").replace(b"PRIVATE", b"SECRET"),
    ),
    "truncated": (False, lambda data: data[: len(data) // 3]),
    "a damaged second block": (
        False,
        lambda data: data + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ),
    "empty": (False, lambda _data: b""),
}


@pytest.mark.parametrize("name", _FILES)
@pytest.mark.parametrize("form", _FORMS)
def test_an_upload_accepts_a_pem_file_exactly_if_check_does(form: str, name: str, tmp_path: Path) -> None:
    accepted, change = _FORMS[form]
    files = _FILES | {name: change(_FILES[name])}
    for file, data in files.items():
        (tmp_path / file).write_bytes(data)
    sets = [load_set("defender-iot")]
    results = check_files(
        [tmp_path / file for file in files], sets, CheckOptions(now=NOW, switches={"validation": False})
    )
    certificate, key, chain = (File(file, data) for file, data in files.items())
    uploaded = check_upload(Upload("test", certificate, key, chain, crl_check=False), sets, NOW)
    assert [uploaded.accepted, results[0].verdicts[0].accepted] == [accepted, accepted], uploaded.messages
    if not accepted and uploaded.checked is not None:
        problems = {one.problem for one in uploaded.checked.unread}
        assert problems, form
        assert problems <= {one.problem for one in results[0].unread}
