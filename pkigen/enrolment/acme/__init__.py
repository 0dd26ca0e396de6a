"""ACME (RFC 8555) with renewal information (RFC 9773), IP identifiers (RFC 8738) and profiles.

``resources`` is the HTTP side; ``accounts``, ``orders``, ``certificates`` and ``renewal`` are the operations;
``validation`` fetches challenges. All state is in ``pkigen.enrolment.state``.
"""

from __future__ import annotations

from starlette.routing import Route

from pkigen.enrolment.faults import EnrolmentFaults
from pkigen.enrolment.state import State, state_of
from pkigen.environment.enrol import Enroller
from pkigen.profile.enrolment import Template


def routes(
    template: Template, enroller: Enroller, faults: EnrolmentFaults, *, state: State | None = None
) -> list[Route]:
    """Return the routes of a template's directory, /acme/TEMPLATE/directory."""
    from pkigen.enrolment.acme.orders import resume_orders
    from pkigen.enrolment.acme.resources import Resources
    from pkigen.enrolment.acme.service import AcmeService
    from pkigen.enrolment.acme.validation.validator import Validator

    assert template.settings.acme is not None
    service = AcmeService(template, template.settings.acme, enroller, state or state_of(enroller), faults)
    validator = Validator(service)
    service.validate = validator.start
    resume_orders(service)
    validator.resume()
    return Resources(service).routes()
