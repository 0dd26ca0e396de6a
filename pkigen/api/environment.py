"""Environments and their certificates, with the operations of the commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pkigen.environment import environment as built

if TYPE_CHECKING:
    from pkigen.inspection.check import CheckResult

Fault = str | Mapping[str, Mapping[str, Any]]
"""The ID of a fault, or the ID with parameters: ``{"expired": {"by": "1s"}}``."""


@dataclass(frozen=True, repr=False)
class Case(built.Case):
    """An end-entity certificate of an environment with its files.

    ``data`` is its JSON object in the manifest; ``entry`` is the same object with types. Operations change
    the environment on the disk, and what ``environment`` returns afterward; they raise InputError if the
    change is not possible, and EnvironmentFailure if another program holds the environment's lock.
    """

    environment: Environment

    @property
    def revoked(self) -> str | None:
        """The reason for which the certificate is revoked (RFC 5280, 5.3.1), or None."""
        revoked = self.environment[self.name].data["revoked"]
        return None if revoked is None else str(revoked["reason"])

    def revoke(
        self, reason: str = "unspecified", *, at: datetime | None = None, passphrase: str | None = None
    ) -> None:
        """Revoke the certificate and publish the CRL that lists it; ``at`` is the revocation date.

        ``reason`` is a CRLReason (RFC 5280, 5.3.1), e.g. ``keyCompromise``. ``passphrase`` decrypts the CA's
        key. A certificate that is already revoked keeps its revocation, unless it is on hold.
        """
        from pkigen.environment.revoke import revoke

        passphrases = () if passphrase is None else (passphrase.encode(),)
        revoke(self.folder, [f"certificates/{self.name}"], reason=reason, at=at, passphrases=passphrases)
        self.environment.reload()

    def unrevoke(self, *, force: bool = False) -> None:
        """Lift a hold, or with ``force`` any other revocation, and publish the CRL."""
        from pkigen.environment.revoke import unrevoke

        unrevoke(self.folder, [f"certificates/{self.name}"], force=force)
        self.environment.reload()

    def renew(self) -> Case:
        """Reissue the certificate with its existing key, and return the new certificate."""
        from pkigen.environment.renew import renew

        renew(self.folder, [f"certificates/{self.name}"])
        self.environment.reload()
        return self.environment[self.name]

    def break_(self, *faults: Fault) -> Case:
        """Add a faulty copy for each fault, and return the first one; this certificate does not change.

        ``faults`` are IDs, globs of FAMILY/ID, or IDs with parameters, as in a profile. Raises InputError for
        an unknown fault and for one that the certificate cannot have.
        """
        from pkigen.environment.break_certificate import break_certificate
        from pkigen.errors import InputError
        from pkigen.faults import parse_faults

        if not faults:
            raise InputError("specify at least one fault; pkigen.fault_catalog() lists them")
        break_certificate(self.folder, self.name, faults)
        self.environment.reload()
        first = parse_faults(faults[0])[0].type.id
        copies = (one for one in self.environment.cases() if one.fault == first)
        return next(one for one in copies if one.data["fault"]["base"] == self.name)

    def check(self, *sets: str, at: datetime | None = None) -> CheckResult:
        """Check the certificate's files against requirement sets, as an appliance does at upload.

        ``sets`` are names of shipped sets or paths of files (default: those of the profile), ``at`` is the
        time to evaluate validity at (default: now). The result's ``as_expected`` is true if every
        requirement is satisfied, advice excepted; ``broken`` are the violated ones. Raises InputError for a
        set that does not exist.
        """
        from pkigen.api.inspection import check_identity

        return check_identity(self, sets or self.environment.requirements, at)


@dataclass(frozen=True, repr=False)
class Environment(built.Environment):
    """A built environment: its directory and its manifest.

    ``manifest`` is the JSON document; ``contents`` is the same document with types.
    """

    def cases(self) -> Iterator[Case]:
        """Return the end-entity certificates in the profile's order, then those that devices requested."""
        return (Case(one.folder, one.data, self) for one in super().cases())

    def __getitem__(self, name: str) -> Case:
        """Return the case with a name; KeyError if there is none."""
        for case in self.cases():
            if case.name == name:
                return case
        raise KeyError(name)

    def sign(self, csr: bytes | str | Path, **options: Any) -> Case:
        """Issue a certificate for a certification request: PEM or DER, or the path of a file.

        The options are ``template``, ``issuer``, ``name``, ``faults`` and ``at`` as for ``pkigen sign``.
        Returns the certificate, which this environment then contains. Raises ``Refused`` with the reason for
        a request that is rejected, and InputError for one that cannot be read or an invalid fault.
        """
        from pkigen.environment.sign import sign
        from pkigen.profile.certification_request import read_request_file

        request = csr if isinstance(csr, bytes) else read_request_file(Path(csr))
        name = sign(self.folder, request, **options).name
        self.reload()
        return self[name]

    def reload(self) -> None:
        """Read the manifest again, after another program changed the environment."""
        current = built.open_environment(self.folder).manifest
        self.manifest.clear()
        self.manifest.update(current)
        self.__dict__.pop("contents", None)


def open_environment(folder: str | Path) -> Environment:
    """Read the environment in a directory; InputError if the directory does not contain one."""
    opened = built.open_environment(Path(folder))
    return Environment(opened.folder, opened.manifest)
