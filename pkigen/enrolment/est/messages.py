"""Bodies of EST messages: base64 of DER (RFC 8951, 3), PKCS#7 and multipart."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from pkigen.formats.pkcs7 import pkcs7_file

CERTIFICATES = "application/pkcs7-mime; smime-type=certs-only"
ATTRIBUTES = "application/csrattrs"
_CA_CERTIFICATES = "application/pkcs7-mime"
_PRIVATE_KEY = "application/pkcs8"
_TRANSFER_ENCODING = "Content-Transfer-Encoding"
_LINE = 64


class NotBase64(ValueError):
    """The body of a request is not base64 of DER."""


def decoded(body: bytes) -> bytes:
    """Return the DER of a request; NotBase64 with the reason if the body is not base64.

    White space is ignored, and so is any Content-Transfer-Encoding (RFC 8951, 3 and 3.1).
    """
    if body.lstrip().startswith(b"-----BEGIN"):
        raise NotBase64("the body is PEM; send the base64 lines without the lines BEGIN and END")
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBase64("the body is not base64 of a DER certification request (RFC 8951, 3)") from error


@dataclass(frozen=True)
class Encoding:
    """How the server encodes DER: ``transfer_encoding`` is the header's value, None for no header.

    RFC 8951 deprecates the header, but clients of RFC 7030 expect it. Without ``is_base64``, the body is DER.
    ``line_end`` follows every 64 characters, None means one line. ``content_type`` replaces that of a body.
    """

    transfer_encoding: str | None = "base64"
    is_base64: bool = True
    line_end: bytes | None = None
    content_type: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a response or of a part."""
        return {} if self.transfer_encoding is None else {_TRANSFER_ENCODING: self.transfer_encoding}

    def body(self, der: bytes) -> bytes:
        """Return a body, or a part of one."""
        if not self.is_base64:
            return der
        text = base64.b64encode(der)
        if self.line_end is None:
            return text
        lines = (text[start : start + _LINE] + self.line_end for start in range(0, len(text), _LINE))
        return b"".join(lines)

    def response(self, der: bytes, media_type: str) -> Response:
        """Return a response with DER."""
        headers = {**self.headers, "Content-Type": self.content_type or media_type}
        return Response(self.body(der), 200, headers)


def certificates(encoding: Encoding, chain: Sequence[bytes], *, of_ca: bool = False) -> Response:
    """Return the response with certificates (DER): in the order that DER requires of a SET OF, if of a CA."""
    return encoding.response(
        pkcs7_file(sorted(chain) if of_ca else chain), _CA_CERTIFICATES if of_ca else CERTIFICATES
    )


def key_and_certificate(
    encoding: Encoding, boundary: str, pkcs8: bytes, certificate: bytes, *, swapped: bool = False
) -> Response:
    """Return the response of serverkeygen: the private key, then its certificate (RFC 7030, 4.4.2).

    ``swapped`` sends the certificate first.
    """
    parts = [(_PRIVATE_KEY, pkcs8), (CERTIFICATES, pkcs7_file([certificate]))]
    body = bytearray()
    for media_type, der in reversed(parts) if swapped else parts:
        headers = {"Content-Type": media_type, **encoding.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body += f"--{boundary}\r\n{head}\r\n".encode() + encoding.body(der) + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return Response(bytes(body), 200, {"Content-Type": f'multipart/mixed; boundary="{boundary}"'})
