"""The challenge dns-01 (RFC 8555, 8.4): TXT records of the control API, or of a given DNS server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from pkigen.enrolment.acme.jose import encode
from pkigen.enrolment.acme.problems import Problem
from pkigen.enrolment.acme.validation.addresses import TIMEOUT
from pkigen.enrolment.dns import query_txt
from pkigen.errors import InputError
from pkigen.profile.enrolment import AcmeSettings

PREFIX = "_acme-challenge."


def validate(
    settings: AcmeSettings,
    identifier: str,
    key_authorization: str,
    own_records: Callable[[str], Sequence[str]],
) -> None:
    """Raise Problem if no TXT record has the digest of the key authorization."""
    name = PREFIX + identifier.lower().rstrip(".")
    digest = encode(sha256(key_authorization.encode("ascii")).digest())
    if settings.resolver is None:
        records = own_records(name)
    else:
        try:
            records = query_txt(settings.resolver, name, TIMEOUT / 2)
        except (OSError, ValueError, InputError) as error:
            raise Problem("dns", f"TXT records of {name} at {settings.resolver}: {error}") from None
    if not records:
        raise Problem("unauthorized", f"there is no TXT record at {name}")
    if digest not in records:
        raise Problem("unauthorized", f"no TXT record at {name} is '{digest}'; there are {len(records)}")
