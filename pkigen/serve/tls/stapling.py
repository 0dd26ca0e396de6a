"""The OCSP responses that the TLS endpoints staple (RFC 6066, section 8)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pkigen.asn1 import oids
from pkigen.environment.environment import Case
from pkigen.environment.ocsp.responder import OcspResponder
from pkigen.environment.published.faulty_publisher import FaultyPublisher
from pkigen.errors import PkigenError
from pkigen.files import read_file
from pkigen.inspection.artifacts import FILE_BYTES
from pkigen.serve.faults.rules import Rule, rules_at, rules_of_profile
from pkigen.serve.faults.url_map import ManifestWatcher
from pkigen.x509 import Certificate, Malformed

_log = logging.getLogger(__name__)
_PATH = "/ocsp"


@dataclass
class Stapler:
    """Returns OCSP responses as a server receives that requests them from the environment's responder.

    Therefore faults of the service show over TLS: those of the profile, and ``live_rules``, which are set at
    run time.
    """

    folder: Path
    clock: Callable[[], datetime]
    passphrases: Sequence[bytes] = field(default=(), repr=False)
    live_rules: Callable[[], tuple[Rule, ...]] = tuple
    _of_profile: tuple[Mapping[str, Any], tuple[Rule, ...]] = field(default=({}, ()), repr=False)

    def __post_init__(self) -> None:
        self._manifest = ManifestWatcher(self.folder).manifest
        self._responder = OcspResponder(self.folder, self._manifest, self.clock, self.passphrases)
        self._publisher = FaultyPublisher(self.folder, self._manifest, self.clock)

    def response(self, case: Case, certificate: bytes) -> bytes | None:
        """Return the current response about a certificate that uses OCSP; None if there is none."""
        issuer = str(case.data["issuer"])
        rule = self._rule(issuer)
        if rule is not None and (rule.effect.ocsp is None or rule.effect.how):
            return None
        serial = int(case.data["serial"], 16)
        request = self._responder.request_about(issuer, serial)
        correct = self._responder.respond_about(issuer, serial)
        if request is None or correct.next_update is None:
            return None
        if rule is None or rule.effect.ocsp is None:
            return correct.response
        try:
            return self._publisher.answer([issuer], rule.effect.ocsp, request, correct.response) or None
        except (PkigenError, OSError, ValueError) as error:
            _log.warning("%s cannot be stapled: %s", rule.fault.request.type.id, error)
            return None

    def _rule(self, issuer: str) -> Rule | None:
        """Return the fault that a request about a certificate of ``issuer`` meets."""
        manifest = self._manifest()
        if self._of_profile[0] is not manifest:
            self._of_profile = manifest, rules_of_profile(self.folder, manifest)
        rules = (*self.live_rules(), *self._of_profile[1])
        if closed := next((rule for rule in rules if rule.effect.target == "port"), None):
            return closed
        fitting = rules_at(rules, _PATH)
        return next(
            (rule for rule in fitting if rule.effect.target != "ocsp" or rule.authority in ("", issuer)), None
        )


def staple(case: Case, certificates: Sequence[bytes], stapler: Stapler | None) -> bytes | None:
    """Return the OCSP response that is stapled to ``certificates``.

    A case with an OCSP fault has its own, in a file, unless the fault keeps the server from receiving it.
    """
    own = case.data.get("ocsp")
    if own:
        is_unreachable = any(fault["url"] == own["url"] for fault in case.data.get("serving", ()))
        path = case.folder / str(own["file"])
        return None if is_unreachable or not path.is_file() else read_file(path, FILE_BYTES) or None
    if stapler is None or not _has_current_response(case, certificates):
        return None
    return stapler.response(case, certificates[0])


def may_staple(case: Case, certificates: Sequence[bytes]) -> bool:
    """Whether ``staple`` can return a response, now or later."""
    return bool(case.data.get("ocsp")) or _has_current_response(case, certificates)


def _has_current_response(case: Case, certificates: Sequence[bytes]) -> bool:
    if case.fault is not None or case.data["issuer"] is None or not certificates:
        return False
    return _uses_ocsp(certificates[0])


def _uses_ocsp(certificate: bytes) -> bool:
    try:
        extensions = Certificate(certificate).extensions
        if extensions.raw(oids.TLS_FEATURE) is not None:
            return True
        return any(method == oids.OCSP_ACCESS for method, _ in extensions.authority_information_access or ())
    except Malformed:
        return False
