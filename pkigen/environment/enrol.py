"""Issues certificates for the requests of devices: by command, and through the enrollment protocols."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from pkigen.clock import utc_now
from pkigen.environment.build.issuance import IssuanceTask, IssuanceWorker, IssuedEntity, IssuingAuthority
from pkigen.environment.build.session import stored_salt
from pkigen.environment.enrolment_records import (
    Enrolled,
    EnrolmentOrder,
    enrolled_row,
    index_entry,
    recorded_faults,
)
from pkigen.environment.manifest.enrolled_listing import EnrolledListing
from pkigen.environment.published.stored_keys import (
    SigningAuthority,
    first_certificate,
    open_authority,
    subject_key_identifier,
)
from pkigen.environment.requested_certificate import Cause, Rejected, RequestPlanner, free_name
from pkigen.environment.source_profile import load_source_profile
from pkigen.errors import EnvironmentFailure, InputError, PkigenError
from pkigen.faults import FaultRequest
from pkigen.formats import pem
from pkigen.keys import to_pkcs8
from pkigen.keys.entropy import SystemEntropy
from pkigen.keys.sources import FreshKeys
from pkigen.model import Entity, Role
from pkigen.profile import Profile
from pkigen.profile.certification_request import Requested, UnprovenPossession, check_possession, read_request
from pkigen.profile.enrolment import Template
from pkigen.profile.names import check_name
from pkigen.store import EnrolledRow, Entry, EnvironmentInUse, Publication, Revoked, Store

__all__ = ["Busy", "Cause", "Enrolled", "Enroller", "Rejected", "Requested", "read_request"]

Busy = EnvironmentInUse
"""A build or another command holds the environment's lock for longer than _LOCK_TIMEOUT."""
COMMAND, SERVER = "command", "server"
"""The protocols of requests that were signed by command, and of the enrollment server's own requests."""
_LOCK_TIMEOUT = 5.0
"""Seconds to wait for a build that holds the environment's lock."""


_Signed = tuple[EnrolmentOrder, Entity, IssuedEntity]


class Enroller:
    """Issues certificates in a built environment. Thread-safe; every method blocks.

    ``clock`` is the time of the protocols; certificates are valid from that of ``issue_clock`` on (default:
    the real time). ``passphrases`` decrypt the keys of authorities. Raises InputError if the environment or
    its profile is not usable.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        issue_clock: Callable[[], datetime] = utc_now,
        passphrases: Sequence[bytes] = (),
    ) -> None:
        self.folder = folder
        self.clock = clock
        self._issue_clock = issue_clock
        self.profile: Profile = load_source_profile(folder)
        self.templates = {template.name: template for template in self.profile.templates}
        specs = self.profile.authorities
        self._passphrases = (*passphrases, *(one.passphrase for one in specs if one.passphrase is not None))
        self._lock = Lock()
        self._waiting = deque[EnrolmentOrder]()
        self._listing = EnrolledListing()
        self._is_unlisted = True  # by a server that was killed before it listed its last certificates
        self._worker = IssuanceWorker(folder, FreshKeys(), SystemEntropy(), seeded=False)
        self._stamps: dict[str, tuple[int, int, bool]] = {}
        self._last_planner: RequestPlanner | None = None

    def issue(
        self,
        template: Template,
        requested: Requested,
        *,
        protocol: str,
        requester: str = "",
        name: str = "",
        faults: Sequence[FaultRequest] = (),
        renewal_of: str = "",
        proved: bool = False,
        at: datetime | None = None,
        list_now: bool = True,
    ) -> Enrolled:
        """Issue a certificate for a request and record it; durable when the call returns.

        ``name`` is that of the certificate (default: derived from the common name or the first alternative
        name). ``renewal_of`` is the name of an enrolled certificate that the new one replaces. ``proved``
        means that the protocol has verified the possession of the key. ``at`` is the time from which
        ``valid`` counts (default: that of ``issue_clock``). Without ``list_now``, the caller lists the
        certificate in the manifest later, with ``list_in_manifest``.

        Raises Rejected with the reason, InputError if the certificate cannot be issued at all, and Busy.
        """
        if not proved:
            try:
                check_possession(requested)
            except UnprovenPossession as error:
                raise Rejected(Cause.POSSESSION, str(error)) from error
        now = (at or self._issue_clock()).astimezone(UTC).replace(microsecond=0)
        order = EnrolmentOrder(
            template, requested, protocol, requester, name, renewal_of, tuple(faults), now, list_now
        )
        self._waiting.append(order)
        # The thread that gets the lock issues for all that wait: one transaction serves them all.
        with self._lock:
            if order.enrolled is None and order.error is None:
                self._issue_waiting()
        if order.error is not None:
            raise order.error
        assert order.enrolled is not None
        return order.enrolled

    def _issue_waiting(self) -> None:
        orders = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            with self._store() as store:
                planned = list(self._plan(store, orders))
                used = store.index.reserve(
                    (plan.issuer_id, plan.serial, entity.id)
                    for _, entity in planned
                    for plan in entity.certificates
                )
                if used:
                    raise EnvironmentFailure(f"the serial number {used[0][1]:x} is in use; try again")
                self._publish(store, list(self._sign(planned)))
                self._is_unlisted = True
                if any(order.list_now for order, _ in planned):
                    self._listing.update(store)
                    self._is_unlisted = False
        except (PkigenError, OSError) as error:
            _fail(orders, error)
        except BaseException as error:
            _fail(orders, EnvironmentFailure(f"the certificates could not be issued: {error!r}"))
            raise

    def _plan(
        self, store: Store, orders: Sequence[EnrolmentOrder]
    ) -> Iterator[tuple[EnrolmentOrder, Entity]]:
        """Yield the planned certificates of orders; an order that is rejected gets its error."""
        names = set[str]()
        for order in orders:
            try:
                name = order.renewal_of or self._name(store, order, names)
                planner = self._planner(order.now)
                yield order, planner.plan(order.template, order.requested, name, order.faults)
                names.add(name.lower())
            except (PkigenError, OSError) as error:
                order.error = error

    def _sign(self, planned: Iterable[tuple[EnrolmentOrder, Entity]]) -> Iterator[_Signed]:
        """Yield the signed certificates, whose files are in the staging area."""
        for order, entity in planned:
            try:
                self._load_authorities(entity)
                yield order, entity, self._worker.issue(IssuanceTask(entity))
            except (PkigenError, OSError) as error:
                order.error = error

    def _publish(self, store: Store, signed: Sequence[_Signed]) -> None:
        """Commit signed certificates, and hand them out."""
        issuers = {plan.issuer_id for _, entity, _ in signed for plan in entity.certificates}
        current = {one.id: one.fingerprint for one in store.index.get(sorted(issuers)).values()}
        rows = {order: enrolled_row(order, entity) for order, entity, _ in signed}
        salt = stored_salt(store)
        entries = {order: index_entry(entity, issued, current, salt) for order, entity, issued in signed}
        # Before the certificates are published: a build must never delete one of them.
        store.index.enrolled.add(rows.values())
        store.publish([Publication(entries[order], issued.staged) for order, _, issued in signed])
        for order, entity, _ in signed:
            order.enrolled = self._enrolled(store, rows[order], store.index.entry(entity.id))

    def renew(self, name: str) -> Enrolled:
        """Issue the certificate of an enrolled name again, for the recorded request and with its faults."""
        with self._store() as store:
            row = store.index.enrolled.get(f"{Role.CERTIFICATE}/{name}")
            entry = store.index.get([row.id]).get(row.id) if row else None
        if row is None or entry is None:
            raise InputError(f"no device requested a certificate that is called '{name}'")
        if row.protocol == SERVER:
            raise InputError(f"{name} belongs to the enrollment server, which renews it")
        if not row.request:
            raise InputError(f"{name} was requested through {row.protocol.upper()}; the device must renew it")
        issuer = entry.serials[0][0].partition("/")[2]
        template = self.profile.template(row.template, "" if row.template else issuer)
        return self.issue(
            template,
            read_request(row.request),
            protocol=row.protocol,
            requester=row.requester,
            faults=recorded_faults(row),
            renewal_of=name,
        )

    def list_in_manifest(self) -> None:
        """List the certificates that were issued since in manifest.json, if there are any."""
        if self._is_unlisted:
            with self._lock, self._store() as store:
                self._listing.update(store)
                self._is_unlisted = False

    def find(
        self, *, name: str = "", issuer: str = "", serial: int | None = None, or_successor: bool = False
    ) -> Enrolled | None:
        """Return an enrolled certificate by its name, or by its issuer (name) and serial number.

        With ``or_successor``, the serial number of an earlier certificate finds the current one: a device may
        not have received it.
        """
        with Store.open(self.folder, write=False) as store:
            entity = f"{Role.CERTIFICATE}/{name}"
            if serial is not None:
                entity = store.index.subject_of(f"{Role.AUTHORITY}/{issuer}", serial) or ""
            row = store.index.enrolled.get(entity)
            entry = store.index.get([entity]).get(entity) if row else None
            if row is None or entry is None:
                return None
            if serial is not None and not or_successor and entry.serials[0][1] != serial:
                return None
            return self._enrolled(store, row, entry)

    def revocation(self, enrolled: Enrolled) -> Revoked | None:
        """Return the recorded revocation of a certificate."""
        with Store.open(self.folder, write=False) as store:
            return store.index.revocation(f"{Role.AUTHORITY}/{enrolled.issuer}", enrolled.serial)

    def revoke(self, enrolled: Enrolled, reason: str = "unspecified") -> None:
        """Revoke a certificate and publish the CRL that lists it; a revoked one keeps its revocation."""
        from pkigen.environment.revoke import revoke

        with self._lock:
            revoke(
                self.folder,
                reason=reason,
                issued_by=enrolled.issuer,
                serial=enrolled.serial,
                passphrases=self._passphrases,
            )

    def authority(self, name: str) -> SigningAuthority:
        """Return the certificate of an authority and its signer."""
        return open_authority(self.folder, name, self._passphrases)

    def chain(self, issuer: str) -> tuple[bytes, ...]:
        """Return the certificates (DER) from an authority up to and including its root."""
        data = (self.folder / Role.AUTHORITY / issuer / "chain.pem").read_bytes()
        own = first_certificate((self.folder / Role.AUTHORITY / issuer / f"{issuer}.crt").read_bytes())
        return tuple(dict.fromkeys((own, *(block.data for block in pem.blocks(data)))))

    def crl(self, issuer: str) -> bytes:
        """Return the current complete CRL of an authority (DER); InputError if it publishes none."""
        try:
            return (self.folder / "www" / "crl" / f"{issuer}.crl").read_bytes()
        except OSError as error:
            raise InputError(f"{issuer} publishes no CRL") from error

    def _store(self) -> AbstractContextManager[Store]:
        """Open the environment for writing; Busy if another process holds its lock for too long."""
        if not Store.exists(self.folder):
            raise InputError(f"{self.folder} is not a built environment")
        return Store.open(self.folder, write=True, patience=_LOCK_TIMEOUT)

    def _planner(self, now: datetime) -> RequestPlanner:
        if self._last_planner is None or self._last_planner.now != now:
            self._last_planner = RequestPlanner(self.profile, now)
        return self._last_planner

    def _load_authorities(self, entity: Entity) -> None:
        """Load the authorities of a path, and again those that a build replaced since."""
        for issuer in entity.issuers:
            name, signs = issuer.partition("/")[2], issuer == entity.issuers[0]
            status = (self.folder / issuer / f"{name}.crt").stat()
            stamp = (status.st_mtime_ns, status.st_ino, signs)
            if self._stamps.get(issuer) not in (stamp, (*stamp[:2], True)):
                self._worker.forget(issuer)
                own, *above = self.chain(name)
                chain = tuple(above) if issuer == entity.issuers[-1] else ()
                key = to_pkcs8(self.authority(name).signer.key) if signs else None
                authority = IssuingAuthority(own, chain, key, subject_key_identifier(own))
                self._worker.authorities[issuer] = authority
                self._stamps[issuer] = stamp

    def _enrolled(self, store: Store, row: EnrolledRow, entry: Entry) -> Enrolled:
        name, (issuer, serial) = row.id.partition("/")[2], entry.serials[0]
        certificate = first_certificate(store.read(f"{row.id}/{name}.crt"))
        chain = tuple(block.data for block in pem.blocks(store.read(f"{row.id}/chain.pem")))
        times = (datetime.fromtimestamp(one, UTC) for one in (entry.not_before, entry.not_after))
        issuer_name = issuer.partition("/")[2]
        return Enrolled(name, row.template, issuer_name, serial, certificate, chain, *times)

    def _name(self, store: Store, order: EnrolmentOrder, taken: Container[str]) -> str:
        """Return the name for a new certificate: the given one, or a derived one that none has or had."""

        def is_taken(name: str) -> bool:
            fleets = self.profile.fleets
            in_fleet = any(one.index_of(name) for one in fleets) or store.index.shards.of_name(name)
            is_used = name.lower() in taken or store.index.is_taken(f"{Role.CERTIFICATE}/{name}")
            return is_used or bool(in_fleet)

        if not order.name:
            return free_name(order.requested, is_taken)
        if (problem := check_name(order.name)) is not None:
            raise InputError(problem)
        if is_taken(order.name):
            raise InputError(
                f"the environment has a certificate that is called '{order.name}'; choose another name with "
                "--name, or reissue that certificate with pkigen renew"
            )
        return order.name


def _fail(orders: Sequence[EnrolmentOrder], error: Exception) -> None:
    for order in orders:
        if order.enrolled is None and order.error is None:
            order.error = error
