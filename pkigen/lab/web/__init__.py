"""What an appliance answers over HTTPS: its console for people, its API for programs, its links."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from pkigen.lab.appliance.appliance import Appliance
    from pkigen.lab.lab import Lab


def web(lab: Lab, appliance: Appliance) -> ASGIApp:
    """The application of one appliance."""
    from pkigen.lab.web.app import application

    return application(lab, appliance)
