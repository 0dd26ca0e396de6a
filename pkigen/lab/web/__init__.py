"""The web interface of an appliance: console, REST API, and the endpoint for other appliances."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from pkigen.lab.appliance.appliance import Appliance
    from pkigen.lab.lab import Lab


def web(lab: Lab, appliance: Appliance) -> ASGIApp:
    """Return the application of one appliance."""
    from pkigen.lab.web.app import application

    return application(lab, appliance)
