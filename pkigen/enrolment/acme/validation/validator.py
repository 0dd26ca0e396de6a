"""Validates challenges in the background, with a limited number of threads."""

from __future__ import annotations

from queue import Full, Queue
from threading import Lock, Thread

from pkigen.enrolment.acme.orders import key_authorization, record_validation
from pkigen.enrolment.acme.problems import Problem
from pkigen.enrolment.acme.service import ACCOUNT, AUTHORIZATION, AcmeService
from pkigen.enrolment.acme.validation import dns_01, http_01, tls_alpn_01
from pkigen.enrolment.dns import TxtRecords
from pkigen.errors import PkigenError

_MOST_THREADS = 16
_MOST_WAITING = 2000


class Validator:
    """Validates the challenges of a directory; ``start`` queues one."""

    def __init__(self, service: AcmeService) -> None:
        self._service = service
        self._queue = Queue[tuple[str, int]](_MOST_WAITING)
        self._records = TxtRecords(service.state)
        self._lock = Lock()
        self._threads = 0
        self._idle = 0

    def start(self, authorization_id: str, number: int) -> None:
        """Validate a challenge soon; the authorization then has the result."""
        try:
            self._queue.put_nowait((authorization_id, number))
        except Full:
            problem = Problem("serverInternal", "too many challenges wait for their validation")
            record_validation(self._service, authorization_id, number, problem)
            return
        with self._lock:
            if self._idle < self._queue.qsize() and self._threads < _MOST_THREADS:
                self._threads += 1
                Thread(target=self._run, name="pkigen-validation", daemon=True).start()

    def resume(self) -> None:
        """Validate again the challenges of a server that was stopped meanwhile."""
        for authorization_id, data in list(self._service.state.all(AUTHORIZATION)):
            account = self._service.state.get(ACCOUNT, data["account"])
            if (
                data["status"] == "pending"
                and account
                and account["directory"] == self._service.template.name
            ):
                for number, entry in enumerate(data["challenges"]):
                    if entry["status"] == "processing":
                        self.start(authorization_id, number)

    def _run(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            authorization_id, number = self._queue.get()
            with self._lock:
                self._idle -= 1
            try:
                problem = self._problem(authorization_id, number)
                record_validation(self._service, authorization_id, number, problem)
            except PkigenError:
                # The database cannot be written: the challenge stays in processing, until the next start.
                continue

    def _problem(self, authorization_id: str, number: int) -> Problem | None:
        state = self._service.state
        data = state.get(AUTHORIZATION, authorization_id)
        account = state.get(ACCOUNT, data["account"]) if data else None
        if data is None or account is None:
            return None
        entry, identifier = data["challenges"][number], data["identifier"]["value"]
        authorization = key_authorization(account["jwk"], entry["token"])
        settings = self._service.settings
        try:
            if entry["type"] == "dns-01":
                dns_01.validate(settings, identifier, authorization, self._records.get)
            elif entry["type"] == "http-01":
                http_01.validate(settings, identifier, entry["token"], authorization)
            else:
                tls_alpn_01.validate(settings, identifier, authorization)
        except Problem as problem:
            return problem
        except Exception as error:  # noqa: BLE001  a response that no code expects must not end the thread
            return Problem("serverInternal", f"the challenge cannot be validated: {type(error).__name__}")
        return None
