"""Tests of certification paths: a certificate, the initial settings, and the verdict of RFC 5280."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field

from pkigen.documents.fields import Value, close_to
from pkigen.profile.extension_fields import Oid

_Named = Annotated[str, Field(min_length=1, max_length=200)]


class PathTest(Value):
    """A test of a path validator with the certificate, the CAs and the CRLs of one path.

    The CAs are those of the certificate's path, or the ``chain``, and the further ``authorities``; the CRLs
    are all that these publish. ``trust`` are the trust anchors, if not those of the environment. The settings
    are the inputs of RFC 5280, 6.1.1; without ``policies`` every policy is acceptable. A test that is not
    ``required`` states what a validator should do, not what it must do.
    """

    id: _Named
    title: Annotated[str, Field(max_length=200)] = ""
    certificate: _Named
    authorities: Annotated[tuple[_Named, ...], Field(max_length=20)] = ()
    chain: Annotated[tuple[_Named, ...], Field(max_length=100)] = ()
    trust: Annotated[tuple[_Named, ...], Field(max_length=20)] = ()
    host: _Named | None = None
    purpose: Literal["server", "client", "any"] = "any"
    reject_sha1: bool = False
    policies: Annotated[tuple[Oid, ...], Field(max_length=20)] = ()
    explicit_policy: bool = False
    inhibit_mapping: bool = False
    inhibit_any_policy: bool = False
    expect: Literal["accept", "reject"]
    required: bool = True

    @property
    def has_default_settings(self) -> bool:
        """Whether every client reaches the verdict, without any settings."""
        inputs = self.chain or self.trust or self.host or self.purpose != "any" or self.reject_sha1
        policy = self.policies or self.explicit_policy or self.inhibit_mapping or self.inhibit_any_policy
        return self.required and not (inputs or policy)


def path_test_errors(
    tests: Iterable[PathTest], certificates: Collection[str], authorities: Collection[str]
) -> Iterator[tuple[tuple[str | int, ...], str, str | None]]:
    """Return (path in the document, error, suggestion) for names that the profile does not have."""
    ids = set[str]()
    for index, test in enumerate(tests):
        place = ("path_tests", index)
        if test.id in ids:
            yield (*place, "id"), f"the test '{test.id}' is listed twice", None
        ids.add(test.id)
        if test.certificate not in certificates:
            words = f"no certificate is called '{test.certificate}'"
            yield (*place, "certificate"), words, close_to(test.certificate, tuple(certificates))
        for field in ("authorities", "chain", "trust"):
            for number, name in enumerate(getattr(test, field)):
                if name not in authorities:
                    words = f"no authority is called '{name}'"
                    yield (*place, field, number), words, close_to(name, tuple(authorities))
