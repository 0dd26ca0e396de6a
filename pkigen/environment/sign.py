"""Signs the certification request of a device by command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pkigen.environment.enrol import COMMAND, Enrolled, Enroller
from pkigen.errors import InputError
from pkigen.faults import parse_faults
from pkigen.profile.certification_request import read_request


def sign(
    folder: Path,
    request: bytes,
    *,
    template: str = "",
    issuer: str = "",
    name: str = "",
    faults: Iterable[Any] = (),
    at: datetime | None = None,
    passphrases: Sequence[bytes] = (),
) -> Enrolled:
    """Issue a certificate for a certification request (PEM or DER) in a built environment.

    Without ``template`` subject and alternative names come from the request, and everything else from the
    profile's defaults; ``issuer`` is then required if several authorities issue end entities. ``faults`` are
    IDs, also with parameters, as in a profile. Raises Rejected, and InputError for a request that cannot be
    read, an invalid fault, and unknown names.
    """
    requested = read_request(request)
    try:
        requests = [one for fault in faults for one in parse_faults(fault)]
    except ValueError as error:
        raise InputError(str(error)) from error
    enroller = Enroller(folder, passphrases=passphrases)
    if template and issuer:
        raise InputError("a template names its issuer; omit --issuer")
    known = [one.name for one in enroller.profile.authorities]
    if issuer and issuer not in known:
        raise InputError(f"no authority is called '{issuer}'; there are {', '.join(known)}")
    chosen = enroller.profile.template(template, issuer)
    return enroller.issue(chosen, requested, protocol=COMMAND, name=name, faults=requests, at=at)
