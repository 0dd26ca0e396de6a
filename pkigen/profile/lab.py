"""The section ``lab``: which certificates become simulated appliances, and who talks to whom."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pkigen.profile.fields import Parsed, Value
from pkigen.profile.names import check_name

MOST_SENSORS = 500

_ADDRESS = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")

Named = Annotated[str, Field(min_length=1, max_length=200)]


def _parse_address(text: str) -> str:
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError(f"'{text}' is no address such as 10.1.0.20:6514")
    return text


Address = Annotated[str, Parsed(_parse_address, "HOST:PORT")]


def _parse_rule_name(text: str) -> str:
    if problem := check_name(text):
        raise ValueError(problem)
    return text


RuleName = Annotated[str, Parsed(_parse_rule_name, "NAME")]


class Forwarding(Value):
    """A rule: alerts go to a server, over TLS.

    ``to`` is what it speaks. Without ``address`` the lab simulates it, with the certificate named; else it
    is somebody's real one at that address. ``host`` is what its certificate must be for, if not for the first
    host of ``certificate``. ``sender`` is who forwards.
    """

    name: RuleName
    to: Literal["syslog", "webhook"]
    certificate: Named | None = None
    address: Address | None = None
    host: Named | None = None
    sender: Literal["console", "sensors"] = "console"

    @model_validator(mode="after")
    def _complete(self) -> Forwarding:
        if self.certificate is None and (self.address is None or self.host is None):
            raise ValueError(
                "give 'certificate' for a server of the lab, or 'address' and 'host' of a real one"
            )
        if self.to == "webhook" and self.sender == "sensors":
            raise ValueError("webhooks are of the management console alone: leave 'sender' out")
        return self


class Lab(Value):
    """Certificates by their names in the profile; of sensors globs as well.

    ``fresh`` are appliances that nobody has uploaded anything to yet. ``proxy`` puts an HTTP proxy between
    the appliances and the CRL server. Each connection is made anew every ``interval`` seconds.
    """

    console: Named
    secondary: Named | None = None
    sensors: Annotated[tuple[Named, ...], Field(max_length=100)] = ()
    forwarding: Annotated[tuple[Forwarding, ...], Field(max_length=20)] = ()
    fresh: Annotated[tuple[Named, ...], Field(max_length=100)] = ()
    proxy: bool = False
    interval: Annotated[int, Field(ge=1, le=3600)] = 15
