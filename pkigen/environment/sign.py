"""Signs the certification request of a device by command."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pkigen.environment.enrol import COMMAND, Enrolled, Enroller
from pkigen.errors import InputError
from pkigen.faults import FaultRequest
from pkigen.profile.certification_request import read_request


def sign(
    folder: Path,
    request: bytes,
    *,
    template: str = "",
    issuer: str = "",
    name: str = "",
    faults: Sequence[FaultRequest] = (),
    at: datetime | None = None,
    passphrases: Sequence[bytes] = (),
) -> Enrolled:
    """Issue a certificate for a certification request (PEM or DER) in a built environment.

    Without ``template`` subject and alternative names come from the request, and everything else from the
    profile's defaults; ``issuer`` is then required if several authorities issue end entities. Raises
    Rejected, and InputError for a request that cannot be read and for unknown names.
    """
    requested = read_request(request)
    enroller = Enroller(folder, passphrases=passphrases)
    if template and issuer:
        raise InputError("a template names its issuer; omit --issuer")
    known = [one.name for one in enroller.profile.authorities]
    if issuer and issuer not in known:
        raise InputError(f"no authority is called '{issuer}'; there are {', '.join(known)}")
    chosen = enroller.profile.template(template, issuer)
    return enroller.issue(chosen, requested, protocol=COMMAND, name=name, faults=faults, at=at)
