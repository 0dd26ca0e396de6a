"""Control API of a running lab for other processes of the same user."""

from __future__ import annotations

import json
import os
import secrets
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pkigen.errors import EnvironmentFailure, InputError, PkigenError
from pkigen.lab.appliance.upload import Upload
from pkigen.lab.lab import Lab
from pkigen.lab.state import FOLDER
from pkigen.lab.web.fields import UPLOAD, parse_upload, read_fields
from pkigen.lab.web.rest import upload_result_as_json
from pkigen.serve.control.api import HOST, Guarded, announced
from pkigen.serve.http.server import background, listen
from pkigen.strict_json import parse_json

FILE = f"{FOLDER}/running.json"
"""File with the control URL and token of a running lab, relative to the environment."""

_SECONDS = 30.0
_LOOK_SECONDS = 5.0


@contextmanager
def control_server(lab: Lab, stop: Callable[[], None]) -> Iterator[None]:
    """Serve the control API for the duration of the block; ``stop`` is called on a stop request."""
    token = secrets.token_urlsafe(32)
    with listen(HOST, 0) as listener:
        data = {"url": listener.url, "token": token, "pid": os.getpid()}
        app = Guarded(_application(lab, stop), token, FILE)
        with background(app, listener), announced(lab.folder / FILE, json.dumps(data).encode("ascii")):
            yield


def owner_status(lab: Lab) -> dict[str, Any]:
    """Return the status of the lab with the credentials for the consoles, among them a new sign-in link."""
    link = f"{lab.console.url}/sign-in?link={lab.sessions.new_link()}"
    return {**lab.as_json(), "user": "admin", "password": lab.password, "sign_in": link}


def _application(lab: Lab, stop: Callable[[], None]) -> ASGIApp:
    async def status(_request: Request) -> Response:
        return JSONResponse(owner_status(lab))

    async def end(_request: Request) -> Response:
        stop()
        return JSONResponse({"stopping": True})

    async def upload(request: Request) -> Response:
        form = parse_upload(await read_fields(request, UPLOAD), box=False)
        result = await run_in_threadpool(lab.upload, request.path_params["name"], form)
        return JSONResponse(upload_result_as_json(result))

    async def token(request: Request) -> Response:
        appliance = lab.appliance(request.path_params["name"])
        return JSONResponse({"token": await run_in_threadpool(appliance.new_token)})

    async def refused(_request: Request, error: Exception) -> Response:
        code = 503 if isinstance(error, EnvironmentFailure) else 422
        code = error.status_code if isinstance(error, HTTPException) else code
        return JSONResponse({"error": getattr(error, "detail", str(error))}, code)

    return Starlette(
        routes=[
            Route("/status", status, methods=["GET"]),
            Route("/stop", end, methods=["POST"]),
            Route("/appliances/{name:path}/certificate", upload, methods=["POST"]),
            Route("/appliances/{name:path}/token", token, methods=["POST"]),
        ],
        exception_handlers={HTTPException: refused, PkigenError: refused},
    )


@dataclass(frozen=True)
class RunningLab:
    """A lab of another process, in the environment ``folder``."""

    folder: Path
    url: str
    token: str = field(repr=False)
    pid: int

    def status(self) -> dict[str, Any]:
        """Return the status of the lab."""
        return self._ask("GET", "/status")

    def stop(self) -> None:
        """Request the stop of the lab without waiting for it."""
        self._ask("POST", "/stop")

    def upload(self, appliance: str, upload: Upload) -> dict[str, Any]:
        """Upload files to an appliance and return the result; InputError if it does not exist."""
        files = {
            "certificate": (upload.certificate.name, upload.certificate.data),
            "key": (upload.key.name, upload.key.data),
        }
        if upload.chain is not None:
            files["chain"] = (upload.chain.name, upload.chain.data)
        fields = {"name": upload.title, "crl_check": "on" if upload.crl_check else "off"}
        if upload.passphrase:
            fields["passphrase"] = upload.passphrase.decode("utf-8", "surrogateescape")
        return self._ask("POST", f"{_path_of(appliance)}/certificate", data=fields, files=files)

    def new_token(self, appliance: str) -> str:
        """Create a new API token for an appliance; InputError if it does not exist."""
        return str(self._ask("POST", f"{_path_of(appliance)}/token")["token"])

    def _ask(self, method: str, path: str, seconds: float = _SECONDS, **content: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        # The default context loads all CA certificates of the system, which takes time.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            with httpx.Client(trust_env=False, timeout=seconds, verify=context) as client:
                answer = client.request(method, self.url + path, headers=headers, **content)
            data = parse_json(answer.content)
            if not isinstance(data, dict):
                raise ValueError("the response is not a JSON object")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise EnvironmentFailure(f"the lab of {self.folder} does not respond: {error}") from error
        if answer.status_code == httpx.codes.OK:
            return data
        words = str(data.get("error", answer.status_code))
        raise EnvironmentFailure(words) if answer.is_server_error else InputError(words)

    def answers(self) -> bool:
        """Whether the lab responds; its file remains after a kill, and its port may be reused."""
        try:
            return "connections" in self._ask("GET", "/status", _LOOK_SECONDS)
        except PkigenError:
            return False


def _path_of(appliance: str) -> str:
    return f"/appliances/{quote(appliance, safe='', errors='replace')}"


def find_running_lab(environment: Path) -> RunningLab | None:
    """Return the running lab of an environment, or None."""
    try:
        data = parse_json((environment / FILE).read_bytes())
        running = RunningLab(environment, str(data["url"]), str(data["token"]), int(data["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return running if running.answers() else None


def find_running_labs(out: Path) -> list[RunningLab]:
    """Return every running lab of the environments in a directory."""
    labs = (find_running_lab(path.parent.parent.parent) for path in sorted(out.glob(f"*/{FILE}")))
    return [one for one in labs if one is not None]
