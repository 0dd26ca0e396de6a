"""A running lab as other processes of the same user find it: what is up, how to end it, an upload."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pkigen.errors import EnvironmentFailure, InputError, PkigenError
from pkigen.lab.judging import Upload
from pkigen.lab.lab import Lab
from pkigen.lab.state import FOLDER
from pkigen.lab.web.fields import UPLOAD, read_fields, upload_of
from pkigen.lab.web.rest import judged_as_json
from pkigen.serve.control import HOST, Guarded, announced
from pkigen.serve.server import background, listen

FILE = f"{FOLDER}/running.json"
"""Where a running lab's control URL and token are, below the environment's folder."""

_SECONDS = 30.0


@contextmanager
def controlled(lab: Lab, stop: Callable[[], None]) -> Iterator[None]:
    """Be found as long as the block runs; ``stop`` is called when somebody asks for the end."""
    token = secrets.token_urlsafe(32)
    with listen(HOST, 0) as listener:
        told = {"url": listener.url, "token": token, "pid": os.getpid()}
        app = Guarded(_application(lab, stop), token, FILE)
        with background(app, listener), announced(lab.folder / FILE, json.dumps(told).encode("ascii")):
            yield


def told(lab: Lab) -> dict[str, Any]:
    """What the lab's owner is told of it: how everything is, and how to sign in."""
    return {**lab.as_json(), "user": "admin", "password": lab.password}


def _application(lab: Lab, stop: Callable[[], None]) -> ASGIApp:
    async def status(_request: Request) -> Response:
        return JSONResponse(told(lab))

    async def end(_request: Request) -> Response:
        stop()
        return JSONResponse({"stopping": True})

    async def upload(request: Request) -> Response:
        asked = upload_of(await read_fields(request, UPLOAD), box=False)
        judged = await run_in_threadpool(lab.upload, request.path_params["name"], asked)
        return JSONResponse(judged_as_json(judged))

    async def refused(_request: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else 422
        return JSONResponse({"error": getattr(error, "detail", str(error))}, code)

    return Starlette(
        routes=[
            Route("/status", status, methods=["GET"]),
            Route("/stop", end, methods=["POST"]),
            Route("/appliances/{name}/certificate", upload, methods=["POST"]),
        ],
        exception_handlers={HTTPException: refused, PkigenError: refused},
    )


@dataclass(frozen=True)
class Running:
    """A lab of another process, in the environment ``folder``."""

    folder: Path
    url: str
    token: str
    pid: int

    def status(self) -> dict[str, Any]:
        """How everything is."""
        return self._ask("GET", "/status")

    def stop(self) -> None:
        """Have it end; it goes on ending when this returns."""
        self._ask("POST", "/stop")

    def upload(self, appliance: str, upload: Upload) -> dict[str, Any]:
        """What an appliance says to files; InputError when there is no such appliance."""
        files = {
            "certificate": (upload.certificate.name, upload.certificate.data),
            "key": (upload.key.name, upload.key.data),
        }
        if upload.chain is not None:
            files["chain"] = (upload.chain.name, upload.chain.data)
        fields = {"name": upload.title, "crl_check": "on" if upload.crl_check else "off"}
        if upload.passphrase:
            fields["passphrase"] = upload.passphrase.decode("utf-8", "surrogateescape")
        return self._ask("POST", f"/appliances/{appliance}/certificate", data=fields, files=files)

    def _ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            with httpx.Client(trust_env=False, timeout=_SECONDS) as client:
                answer = client.request(method, self.url + path, headers=headers, **content)
        except httpx.HTTPError as error:
            raise EnvironmentFailure(f"the lab of {self.folder} does not answer: {error}") from error
        found: dict[str, Any] = answer.json()
        if answer.status_code != httpx.codes.OK:
            raise InputError(str(found.get("error", answer.status_code)))
        return found


def find(environment: Path) -> Running | None:
    """The lab that runs in an environment; None when there is none, or it was killed."""
    try:
        found = json.loads((environment / FILE).read_bytes())
        running = Running(environment, str(found["url"]), str(found["token"]), int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return running if _is_there(running.url) else None


def find_all(out: Path) -> list[Running]:
    """Every lab that runs in an environment of a folder."""
    found = (find(path.parent.parent.parent) for path in sorted(out.glob(f"*/{FILE}")))
    return [one for one in found if one is not None]


def _is_there(url: str) -> bool:
    """Whether somebody listens; a lab that was killed leaves its file, and no port."""
    import socket
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), 2.0):
            return True
    except OSError:
        return False
