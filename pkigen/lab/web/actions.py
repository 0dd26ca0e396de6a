"""The actions of a signed-in user; every form needs the CSRF token of the session and the same origin."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pkigen.errors import InputError
from pkigen.lab.appliance.appliance import Appliance
from pkigen.lab.appliance.upload import UploadResult
from pkigen.lab.lab import Lab
from pkigen.lab.web.console import Console
from pkigen.lab.web.fields import (
    UPLOAD,
    FormFields,
    parse_upload,
    read_fields,
)
from pkigen.lab.web.sessions import Session, has_trusted_host, is_cross_site

Action = Callable[[Request, Session, FormFields], Response]

_NEXT_MONTH = "31d"
_MOST_DAYS = 50 * 366


class Actions:
    """The forms of one appliance's console."""

    def __init__(self, lab: Lab, appliance: Appliance, console: Console) -> None:
        self._lab = lab
        self._appliance = appliance
        self._console = console

    def routes(self) -> list[Route]:
        """Return the routes of the forms."""
        forms: dict[str, tuple[Action, tuple[str, ...]]] = {
            "/certificate/upload": (self._upload, UPLOAD),
            "/certificate/stay": (self._stay, ()),
            "/certificate/enroll": (self._enroll, ()),
            "/validation": (self._validation, ("mandatory",)),
            "/switch": (self._switch, ("name", "to")),
            "/check": (self._check, ("link",)),
            "/alerts": (self._alert, ("title", "severity")),
            "/try/upload": (self._from_shelf, ("case",)),
            "/try/revoke": (self._revoke, ("name",)),
            "/try/unrevoke": (self._unrevoke, ("name",)),
            "/try/renew": (self._renew, ()),
            "/try/crl-server": (self._crl_server, ("run",)),
            "/try/clock": (self._clock, ("move", "date")),
            "/enrolment/fault": (self._enrolment_fault, ("fault", "to", "times")),
            "/api": (self._token, ()),
        }
        routes = [
            Route(path, self._posted(action, known), methods=["POST"])
            for path, (action, known) in forms.items()
        ]
        return [
            Route("/sign-in", self._sign_in, methods=["POST"]),
            Route("/sign-out", self._posted(self._sign_out, ()), methods=["POST"]),
            *routes,
        ]

    def _posted(self, action: Action, known: tuple[str, ...]) -> Any:
        async def answer(request: Request) -> Response:
            session = self._console.sessions.of(request)
            if session is None:
                raise HTTPException(403, "You are not signed in. Sign in and submit the form again")
            self._check_source(request)
            try:
                fields = await read_fields(request, (*known, "csrf"))
                given = fields.texts.pop("csrf", "")
                if not secrets.compare_digest(given.encode(), session.csrf.encode()):
                    words = "The form does not belong to this session. Reload the page and submit it again"
                    raise HTTPException(403, words)
                return await run_in_threadpool(action, request, session, fields)
            except HTTPException as error:
                if error.status_code == 403 or not request.url.path.startswith("/certificate/upload"):
                    raise
                status = error.status_code
                return self._console.upload_page(request, session, status=status, unread=error.detail)

        return answer

    def _check_source(self, request: Request) -> None:
        """Raise HTTPException for a cross-site request."""
        if is_cross_site(request):
            raise HTTPException(403, "The request came from another site and was not executed")
        if not has_trusted_host(request, self._appliance):
            words = f"Open this console by its IP address or as {self._appliance.host}"
            raise HTTPException(421, words)

    async def _sign_in(self, request: Request) -> Response:
        self._check_source(request)
        fields = await read_fields(request, ("user", "password"))
        sessions = self._console.sessions
        address = request.client.host if request.client is not None else ""
        if seconds := sessions.wait(address):
            words = f"Too many failed sign-in attempts. Wait {seconds} seconds"
            raise HTTPException(429, words, {"Retry-After": str(seconds)})
        if not sessions.opens(fields.texts.get("user", ""), fields.texts.get("password", ""), address):
            self._appliance.tell("notice", "A sign-in failed: wrong user name or password.")
            return self._console.sign_in_page(request, "The user name or password is wrong.", 401)
        response = RedirectResponse("/", 303)
        sessions.begin(response)
        return response

    def _sign_out(self, request: Request, _session: Session, _fields: FormFields) -> Response:
        response = RedirectResponse("/sign-in?signed-out", 303)
        self._console.sessions.end(request, response)
        return response

    def _upload(self, request: Request, session: Session, fields: FormFields) -> Response:
        result = self._lab.upload(self._appliance.name, parse_upload(fields, box=True))
        return self._upload_response(request, session, result)

    def _from_shelf(self, request: Request, session: Session, fields: FormFields) -> Response:
        result = self._lab.upload_case(self._appliance.name, fields.texts.get("case", ""))
        return self._upload_response(request, session, result)

    def _upload_response(self, request: Request, session: Session, result: UploadResult) -> Response:
        if not result.accepted:
            return self._console.upload_page(request, session, result, 422)
        session.tell("good", "The certificate was accepted. New connections use it.")
        for words in result.unsupported:
            session.tell("notice", f"Accepted, but not supported. {words}")
        for words in result.notes:
            session.tell("notice", words)
        return RedirectResponse("/certificate", 303)

    def _enroll(self, _request: Request, session: Session, _fields: FormFields) -> Response:
        enrolment = self._lab.enrolments.of(self._appliance)
        try:
            result = self._lab.enroll(self._appliance.name)
        except InputError as error:
            if enrolment is None:
                raise
            session.tell("bad", f"{error}.")
        else:
            for text in (message.text for message in result.messages):
                session.tell("bad", f"The issued certificate was refused: {text}")
            if result.accepted:
                session.tell("good", "The CA issued a certificate. New connections use it.")
        return RedirectResponse("/certificate#enrollment", 303)

    def _stay(self, _request: Request, session: Session, _fields: FormFields) -> Response:
        self._appliance.confirm_local_certificate()
        session.tell("notice", "The locally self-signed certificate stays in use.")
        return RedirectResponse("/", 303)

    def _validation(self, _request: Request, session: Session, fields: FormFields) -> Response:
        value = _one_of(("on", "off"), fields, "mandatory")
        self._lab.set_validation(self._appliance.name, mandatory=value == "on")
        words = "mandatory" if value == "on" else "off; invalid certificates do not stop connections"
        session.tell("good" if value == "on" else "notice", f"Certificate validation is {words}.")
        return RedirectResponse("/certificate", 303)

    def _switch(self, _request: Request, session: Session, fields: FormFields) -> Response:
        value, name = _one_of(("on", "off"), fields, "to"), fields.texts.get("name", "")
        self._lab.set_switch(self._appliance.name, name, on=value == "on")
        session.tell("notice", f"The switch '{name}' is {value}. It applies to the next upload.")
        return RedirectResponse("/certificate", 303)

    def _check(self, _request: Request, _session: Session, fields: FormFields) -> Response:
        name = fields.texts.get("link", "")
        connections = (self._lab.connection(name),) if name else self._lab.connections_of(self._appliance)
        self._lab.scheduler.now(connections)
        return RedirectResponse(f"/?link={quote(name)}#chosen" if name else "/", 303)

    def _alert(self, _request: Request, session: Session, fields: FormFields) -> Response:
        title = fields.texts.get("title", "").strip()
        severity = fields.texts.get("severity", "5")
        if not title or len(title) > 200:
            raise HTTPException(422, "The alert needs a title of at most 200 characters")
        if severity not in map(str, range(11)):
            raise HTTPException(422, "The severity must be a number from 0 to 10")
        self._lab.raise_alert(self._appliance.name, title, int(severity))
        session.tell("good", "The alert was raised. This page shows where it is forwarded.")
        return RedirectResponse("/alerts", 303)

    def _revoke(self, _request: Request, session: Session, fields: FormFields) -> Response:
        name = fields.texts.get("name") or self._appliance.name
        self._lab.revoke(name)
        session.tell("notice", f"The CA revoked the certificate of {name}.")
        return RedirectResponse("/try", 303)

    def _unrevoke(self, _request: Request, session: Session, fields: FormFields) -> Response:
        name = fields.texts.get("name") or self._appliance.name
        self._lab.unrevoke(name)
        session.tell("good", f"The CA lifted the revocation of the certificate of {name}.")
        return RedirectResponse("/try", 303)

    def _renew(self, _request: Request, session: Session, _fields: FormFields) -> Response:
        self._lab.renew(self._appliance.name)
        session.tell(
            "good", "The CA issued a new certificate. It is the first sample below: upload it to use it."
        )
        return RedirectResponse("/try", 303)

    def _crl_server(self, _request: Request, session: Session, fields: FormFields) -> Response:
        if _one_of(("on", "off"), fields, "run") == "on":
            self._lab.start_crl_server()
            session.tell("good", "The CRL server is running again.")
        else:
            self._lab.stop_crl_server()
            session.tell("notice", "The CRL server was stopped.")
        return RedirectResponse("/try", 303)

    def _clock(self, _request: Request, session: Session, fields: FormFields) -> Response:
        move = _one_of(("right", "month", "date"), fields, "move")
        if move == "right":
            self._lab.reset_clock()
            session.tell("good", "The lab clock was reset to the machine's time.")
        else:
            self._lab.move_clock(_NEXT_MONTH if move == "month" else self._days_until(fields))
            session.tell("notice", f"The lab date is now {self._lab.clock():%Y-%m-%d}.")
        return RedirectResponse("/try", 303)

    def _days_until(self, fields: FormFields) -> str:
        """Return the time from the lab's date to the date in the form."""
        try:
            day = date.fromisoformat(fields.texts.get("date", ""))
        except ValueError:
            raise HTTPException(422, "The field 'date' must be a date such as 2027-01-31") from None
        days = (day - self._lab.clock().date()).days
        if days > _MOST_DAYS:
            raise HTTPException(422, "The date is more than 50 years ahead")
        return f"{days}d"

    def _enrolment_fault(self, _request: Request, session: Session, fields: FormFields) -> Response:
        """Activate a fault of the enrollment server, or remove it."""
        server, fault = self._lab.enrolment, fields.texts.get("fault", "")
        if server is None or self._appliance is not self._lab.console:
            raise HTTPException(404)
        if _one_of(("on", "off"), fields, "to") == "off":
            server.clear(id=fault)
            session.tell("good", f"The fault {fault} is off.")
        else:
            times = fields.texts.get("times", "").strip()
            server.faults.put({fault: {"times": times} if times else {}})
            session.tell("notice", f"The fault {fault} is on{f' for {times} requests' if times else ''}.")
        return RedirectResponse("/enrolment", 303)

    def _token(self, request: Request, session: Session, _fields: FormFields) -> Response:
        return self._console.api_page(request, session, self._appliance.new_token())


def _one_of(values: tuple[str, ...], fields: FormFields, name: str) -> str:
    """Return the value of a field; HTTPException if it is not one of ``values``."""
    value = fields.texts.get(name, "")
    if value not in values:
        raise HTTPException(422, f"The field '{name}' must be {' or '.join(values)}")
    return value
