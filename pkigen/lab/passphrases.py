"""The passphrases under which a profile has keys written, by whose keys they open."""

from __future__ import annotations

from dataclasses import dataclass, field

from pkigen.environment.environment import Case
from pkigen.inspection.artifacts import read_passphrase
from pkigen.profile import Profile


@dataclass(frozen=True, slots=True)
class Passphrases:
    """Those of certificates by name, and those of all authorities."""

    certificates: dict[str, bytes] = field(repr=False)
    authorities: tuple[bytes, ...] = field(repr=False)

    def of(self, case: Case) -> bytes | None:
        """What opens the key file of a certificate; None for one that is open."""
        if "passphrase" in case.data["files"]:
            return read_passphrase(case.file("passphrase"))
        return self.certificates.get(case.name)


def passphrases_of(profile: Profile) -> Passphrases:
    """All that a profile says."""
    said = any("passphrase" in body.tree for body in profile.certificate_bodies)
    specs = profile.certificates() if said else ()
    held = {spec.name: spec.passphrase for spec in specs if spec.passphrase is not None}
    above = (spec.passphrase for spec in profile.authorities)
    return Passphrases(held, tuple(one for one in above if one is not None))
