"""The pages of the console."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pkigen.faults import ENROLMENT_FAULTS
from pkigen.lab.appliance.appliance import Appliance, Role
from pkigen.lab.appliance.credential import display_name
from pkigen.lab.appliance.samples import sample_uploads
from pkigen.lab.appliance.upload import UploadResult
from pkigen.lab.connections.alerts import format_time
from pkigen.lab.connections.connection import Connection
from pkigen.lab.lab import Lab
from pkigen.lab.web.openapi import document
from pkigen.lab.web.overview import failure_reason, summary, worst_first
from pkigen.lab.web.rest import prefix_of
from pkigen.lab.web.sessions import Session
from pkigen.lab.web.topology import MARKS, drawings, grade
from pkigen.lab.web.views import view

TITLES = {
    400: "Bad request",
    403: "Not allowed",
    404: "Page not found",
    405: "Method not allowed",
    413: "Request too large",
    421: "Wrong host name",
    429: "Too many attempts",
    503: "The lab cannot do this now",
}
_MOST_ENROLLED = 100
_MOST_REQUESTS = 20
LIVE = "x-live"
"""Header of background requests by scripts; they do not consume the messages for the user."""
_TEMPLATES = Environment(
    loader=PackageLoader("pkigen.lab.web"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


def _with_whole_dates(text: str) -> Markup:
    """Return a text as HTML in which lines never break inside a date."""
    return Markup(_DATE.sub(r'<span class="date">\g<0></span>', str(escape(text))))  # noqa: S704  escaped


_TEMPLATES.filters["whole_dates"] = _with_whole_dates

Page = Callable[[Request, Session], Response]


class Console:
    """The pages of one appliance."""

    def __init__(self, lab: Lab, appliance: Appliance) -> None:
        self.sessions = lab.sessions
        self._lab = lab
        self._appliance = appliance

    def routes(self) -> list[Route]:
        """Return the routes of the pages."""
        pages: dict[str, Page] = {
            "/": self._overview,
            "/certificate": self._certificate,
            "/certificate/upload": self._upload,
            "/alerts": self._alerts,
            "/events": self._events,
            "/enrolment": self._enrolment,
            "/try": self._shelf,
            "/api": self._api,
        }
        signed = [Route(path, self._for_signed_in(page), methods=["GET"]) for path, page in pages.items()]
        return [
            Route("/sign-in", self._sign_in, methods=["GET"]),
            Route("/welcome", self._welcome, methods=["GET"]),
            Route("/root.crt", self._root, methods=["GET"]),
            *signed,
        ]

    def render(
        self, request: Request, template: str, session: Session | None, code: int = 200, **values: Any
    ) -> Response:
        """Render a page."""
        lab, me = self._lab, self._appliance
        html = _TEMPLATES.get_template(f"{template}.html").render(
            me=me,
            lab=lab,
            session=session,
            flash=session.take_messages() if session is not None and LIVE not in request.headers else [],
            path=request.url.path,
            now=lab.clock(),
            ahead=lab.clock.ahead.total_seconds() > 60,
            stamp=format_time,
            marks=MARKS,
            grade=grade,
            failure_reason=failure_reason,
            enrolment=lab.enrolments.of(me),
            **values,
        )
        return HTMLResponse(html, code)

    def error(self, request: Request, status: int, words: str) -> Response:
        """Render an error page."""
        session = self.sessions.of(request)
        title = TITLES.get(status, "Request failed")
        sentence = words if words[-1:] in ".!?" else f"{words}."
        return self.render(request, "error", session, status, title=title, words=sentence, status=status)

    def upload_page(
        self,
        request: Request,
        session: Session,
        result: UploadResult | None = None,
        status: int = 200,
        unread: str = "",
    ) -> Response:
        """Render the upload dialog, with the result of the last upload or the error in its form."""
        leaf = self._appliance.credential.leaf
        files = self._lab.folder / "certificates" / self._appliance.name
        in_use = f"{display_name(leaf)}, until {leaf.not_after:%Y-%m-%d}"
        return self.render(
            request,
            "upload",
            session,
            status,
            result=result,
            unread=unread,
            in_use=in_use,
            files=files.as_posix(),
        )

    def sign_in_page(self, request: Request, wrong: str = "", status: int = 200) -> Response:
        """Render the sign-in form."""
        signed_out = "signed-out" in request.query_params
        return self.render(request, "sign_in", None, status, wrong=wrong, signed_out=signed_out)

    def _for_signed_in(self, page: Page) -> Any:
        def answer(request: Request) -> Response:
            session = self.sessions.of(request)
            if session is None:
                return RedirectResponse("/sign-in", 303)
            if not self._appliance.decided and not request.url.path.startswith("/certificate"):
                return RedirectResponse("/welcome", 303)
            return page(request, session)

        return answer

    def _sign_in(self, request: Request) -> Response:
        if self.sessions.of(request) is not None:
            return RedirectResponse("/", 303)
        token = request.query_params.get("link")
        if token is None:
            return self.sign_in_page(request)
        if not self.sessions.opens_link(token):
            wrong = "This link has expired or was used. `pkigen lab status` prints a new one."
            return self.sign_in_page(request, wrong, 401)
        response = RedirectResponse("/", 303)
        self.sessions.begin(response)
        return response

    def _root(self, _request: Request) -> Response:
        """Return the trust anchors of the lab, which are public, as a download."""
        name = f"{self._lab.environment.name}-root.crt"
        return Response(
            self._lab.environment.trust.read_bytes(),
            media_type="application/x-pem-file",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _welcome(self, request: Request) -> Response:
        session = self.sessions.of(request)
        if session is None:
            return RedirectResponse("/sign-in", 303)
        return self.render(request, "welcome", session)

    def _overview(self, request: Request, session: Session) -> Response:
        connections = self._links()
        connection_id = request.query_params.get("link", "")
        return self.render(
            request,
            "overview",
            session,
            drawings=drawings(self._lab, self._appliance),
            connections=worst_first(connections),
            chosen=next((connection for connection in connections if connection.id == connection_id), None),
            gone=connection_id and all(connection.id != connection_id for connection in connections),
            summary=summary(connections),
        )

    def _links(self) -> tuple[Connection, ...]:
        sensor = self._appliance.role is Role.SENSOR
        return self._lab.connections_of(self._appliance) if sensor else self._lab.connections

    def _certificate(self, request: Request, session: Session) -> Response:
        contents = view(self._lab, self._appliance)
        switches = self._lab.switches_of(self._appliance)
        return self.render(request, "certificate", session, view=contents, switches=switches)

    def _upload(self, request: Request, session: Session) -> Response:
        return self.upload_page(request, session)

    def _alerts(self, request: Request, session: Session) -> Response:
        alerts = list(self._appliance.alerts)[::-1][:100]
        onward = [connection for connection in self._lab.connections if connection.sender is self._appliance]
        receivers = [
            self._lab.receivers[connection.target.name]
            for connection in onward
            if connection.target.name in self._lab.receivers
        ]
        return self.render(request, "alerts", session, alerts=alerts, onward=onward, receivers=receivers)

    def _events(self, request: Request, session: Session) -> Response:
        return self.render(request, "events", session, events=list(self._appliance.events)[::-1])

    def _enrolment(self, request: Request, session: Session) -> Response:
        server = self._lab.enrolment
        if server is None or self._appliance is not self._lab.console:
            raise HTTPException(404)
        server.enroller.list_in_manifest()
        enrolled = self._lab.environment.manifest.get("enrolled", ())
        newest = sorted(enrolled, key=lambda one: one["enrolment"]["at"], reverse=True)[:_MOST_ENROLLED]
        active = {one.id: one for one in server.faults.all()}
        offered = {service.protocol for service in server.services}
        faults = [one for one in ENROLMENT_FAULTS.values() if one.family in offered]
        return self.render(
            request,
            "enrolment",
            session,
            server=server,
            enrolled=newest,
            appliances=self._lab.enrolments.all(),
            active=active,
            faults=faults,
            requests=server.requests()[::-1][:_MOST_REQUESTS],
        )

    def _shelf(self, request: Request, session: Session) -> Response:
        lab, me = self._lab, self._appliance
        environment = lab.environment
        articles = tuple(sample_uploads(environment, me.name, lab.clock()))
        names = [me.name] if me.role is Role.SENSOR else [*lab.appliances, *lab.receivers]
        return self.render(request, "try", session, articles=articles, revocable=lab.revocable(names))

    def _api(self, request: Request, session: Session) -> Response:
        return self.api_page(request, session, "")

    def api_page(self, request: Request, session: Session, token: str) -> Response:
        """Render the page of the API, with a new token."""
        prefix = prefix_of(self._appliance)
        described = document(prefix, self._appliance.role, self._appliance.url)
        calls = [
            (method.upper(), f"{prefix}{path}", operation["summary"])
            for path, operations in described["paths"].items()
            for method, operation in operations.items()
        ]
        return self.render(request, "api", session, prefix=prefix, token=token, calls=calls)
