"""Starts the enrollment of the lab's appliances: their clients, and the requests that are due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from cryptography import x509

from pkigen.enrolment.acme.accounts import mac_key
from pkigen.enrolment.server import EnrolmentServer
from pkigen.environment.environment import Environment
from pkigen.environment.published.stored_keys import first_certificate
from pkigen.errors import InputError, PkigenError
from pkigen.formats import pem
from pkigen.lab.appliance.appliance import Appliance
from pkigen.lab.appliance.members import EnrolmentRule
from pkigen.lab.appliance.upload import Upload, UploadResult
from pkigen.lab.enrolment.acme_client import AcmeClient
from pkigen.lab.enrolment.appliance_enrolment import ApplianceEnrolment, Client
from pkigen.lab.enrolment.est_client import EstClient
from pkigen.lab.enrolment.http_challenges import HttpChallenges
from pkigen.lab.enrolment.request import EnrolmentFailed
from pkigen.lab.timing import CancelToken, LabClock
from pkigen.x509 import Certificate

_AT_ONCE = 4


class Enrolments:
    """The enrollments of a lab, by appliance. Safe to call from several threads."""

    def __init__(self, enrolments: Mapping[str, ApplianceEnrolment], server: EnrolmentServer | None) -> None:
        self._by_name = dict(enrolments)
        self._server = server
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="pkigen-enrollment")
        self._is_running = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Execute due requests for the duration of the block, and then wait for running ones."""
        self._is_running = True
        try:
            yield
        finally:
            self._is_running = False
            self._pool.shutdown(cancel_futures=True)

    def of(self, appliance: Appliance) -> ApplianceEnrolment | None:
        """Return the enrollment of an appliance; None if it does not request certificates."""
        return self._by_name.get(appliance.name)

    def all(self) -> tuple[ApplianceEnrolment, ...]:
        """Return the enrollments of all appliances."""
        return tuple(self._by_name.values())

    def start_due(self) -> None:
        """Start the renewals and further attempts that are due, in the background."""
        for one in self._by_name.values():
            if self._is_running and one.is_due:
                self._pool.submit(self._run_due, one)

    def run(self, appliance: Appliance) -> UploadResult:
        """Request a certificate now, and install it.

        Raises InputError if the appliance does not enroll, or if the server issues no certificate.
        """
        enrolment = self._by_name.get(appliance.name)
        if enrolment is None:
            raise InputError(f"{appliance.name} does not request certificates; see 'enroll' in docs/lab.md")
        try:
            return self._run(enrolment)
        except EnrolmentFailed as error:
            raise InputError(f"{appliance.name} received no certificate: {error}") from error

    def _run(self, enrolment: ApplianceEnrolment) -> UploadResult:
        try:
            return enrolment.run()
        finally:
            if self._server is not None:
                # The pages show what was issued, and the lab can revoke it.
                with suppress(PkigenError):
                    self._server.enroller.list_in_manifest()

    def _run_due(self, enrolment: ApplianceEnrolment) -> None:
        # The appliance has noted the reason.
        with suppress(EnrolmentFailed, PkigenError):
            if enrolment.is_due:
                self._run(enrolment)


def client_of(
    rule: EnrolmentRule, url: str, environment: Environment, challenges: HttpChallenges, cancel: CancelToken
) -> Client:
    """Return the client of an appliance, with the secrets of its template."""
    settings = rule.template.settings
    if rule.protocol == "est":
        assert settings.est is not None
        return EstClient(url, environment.trust, settings.est.user, settings.est.passphrase)
    assert settings.acme is not None
    external = next(((kid, mac_key(secret)) for kid, secret in settings.acme.eab.items()), None)
    return AcmeClient(url, environment.trust, challenges, cancel, external)


def enrolments_of(
    appliances: Mapping[str, Appliance],
    rules: Mapping[str, EnrolmentRule],
    environment: Environment,
    server: EnrolmentServer | None,
    challenges: HttpChallenges,
    cancel: CancelToken,
    clock: LabClock,
    install: Callable[[Appliance, Upload], UploadResult],
) -> Enrolments:
    """Return the enrollments of the appliances with a rule."""
    roots = tuple(Certificate(one.data) for one in pem.blocks(environment.trust.read_bytes()))
    urls = {(one.template, one.protocol): one.url for one in server.services} if server else {}
    enrolments = {}
    for name, rule in rules.items():
        appliance, url = appliances[name], urls[rule.template.name, rule.protocol]
        named = x509.load_der_x509_certificate(first_certificate(environment[name].certificate.read_bytes()))

        def install_here(upload: Upload, appliance: Appliance = appliance) -> UploadResult:
            return install(appliance, upload)

        client = client_of(rule, url, environment, challenges, cancel)
        enrolments[name] = ApplianceEnrolment(appliance, rule, url, client, named, roots, install_here, clock)
    return Enrolments(enrolments, server)
