"""EST, Enrollment over Secure Transport (RFC 7030, RFC 8951), for the templates of an environment."""

from __future__ import annotations

from starlette.routing import Route

from pkigen.enrolment.est.operations import Operations
from pkigen.enrolment.faults import EnrolmentFaults
from pkigen.environment.enrol import Enroller
from pkigen.profile.enrolment import Template

__all__ = ["routes"]


def routes(template: Template, enroller: Enroller, faults: EnrolmentFaults) -> list[Route]:
    """Return the routes of a template.

    The name of the template is the label (RFC 7030, 3.2.2). Clients that cannot send a label use
    ``/est/TEMPLATE/.well-known/est``; without a label they get the first template with EST.
    """
    prefixes = [f"/.well-known/est/{template.name}", f"/est/{template.name}/.well-known/est"]
    if template is next(one for one in enroller.templates.values() if one.settings.est is not None):
        prefixes.append("/.well-known/est")
    operations = Operations(template, enroller, faults)
    return [
        Route(f"{prefix}/{name}", answer, methods=[method])
        for prefix in prefixes
        for name, method, answer in operations.all()
    ]
