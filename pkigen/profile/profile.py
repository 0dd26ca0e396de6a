"""The validated profile: authorities in order, certificates one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pkigen.errors import Problem
from pkigen.profile.document import SELF, AuthoritySpec, CertificateSpec
from pkigen.profile.head import Head
from pkigen.profile.instances import Body


class Profile:
    """A profile without an error in it.

    ``source`` is the file it was read from, None for a mapping. ``authorities`` stand issuers
    before issued. ``count`` is the number of certificates.
    """

    def __init__(
        self,
        head: Head,
        source: Path | None,
        authorities: tuple[Body[AuthoritySpec], ...],
        certificates: tuple[Body[CertificateSpec], ...],
    ) -> None:
        self.name = head.name
        self.base_url = head.base_url
        self.requirements = head.requirements
        self.source = source
        self.count = sum(body.count for body in certificates)
        self.authorities: tuple[AuthoritySpec, ...] = ()
        self.authority_bodies = authorities
        self.certificate_bodies = certificates

    def certificates(self) -> Iterator[CertificateSpec]:
        """The end entities in the profile's order, made as they are asked for."""
        for body in self.certificate_bodies:
            for instance in body.instances():
                yield body.specification(instance)

    def problem(self, spec: AuthoritySpec, path: tuple[str | int, ...], message: str) -> Problem:
        """A problem with an authority, at its place in the document."""
        for body in self.authority_bodies:
            for instance in body.instances():
                if instance.name == spec.name:
                    return body.problem(instance, path, message)
        return Problem(message, f"authorities.{spec.name}")


def in_order(specs: list[AuthoritySpec]) -> tuple[AuthoritySpec, ...]:
    """Authorities, issuers before issued, else in the order given; those of a circle stay away."""
    waiting, placed = list(specs), dict[str, AuthoritySpec]()
    while waiting:
        ready = [s for s in waiting if s.brought or all(i == SELF or i in placed for i in s.issuers)]
        if not ready:
            break
        placed |= {spec.name: spec for spec in ready}
        waiting = [spec for spec in waiting if spec.name not in placed]
    return tuple(placed.values())
