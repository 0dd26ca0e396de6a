"""Kubernetes: Secrets, ConfigMaps, and a Deployment that serves the CRLs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pkigen.export.case_files import CaseFiles, NotExportable, exportable_cases
from pkigen.export.draft import Draft, Published
from pkigen.export.target import target

_MOST = 1024 * 1024 - 64 * 1024
"""Octets of data that a ConfigMap or Secret can hold, with room for what stands around them."""


@dataclass(frozen=True)
class _Secret:
    name: str
    certificate: bytes
    key: bytes
    expected: str


@dataclass(frozen=True)
class _Entry:
    """A key of the ConfigMap, in base64 what is at a path below the CRL server's root."""

    key: str
    path: str
    data: bytes


@target(
    *("secrets.yaml.j2", "trust.yaml.j2", "crl.yaml.j2", "kustomization.yaml.j2"), start="kubectl apply -k ."
)
def kubernetes(draft: Draft) -> None:
    """Secrets for TLS, ConfigMaps with trust.pem and the CRLs, nginx for these"""
    taken = dict[str, str]()

    def fits(found: CaseFiles) -> None:
        name = _object_name(found.case.name)
        if other := taken.setdefault(name, found.case.name) != found.case.name and taken[name]:
            raise NotExportable(f"its Secret would have the name of {other}'s")
        if len(found.full) + len(found.key) > _MOST:
            raise NotExportable("its files are too large for a Secret")
        if not found.certificate or not found.key:
            raise NotExportable("a file of it is empty, and a Secret has to hold both")

    secrets = list(_secrets(draft, exportable_cases(draft, fits)))
    draft.render("private/secrets.yaml", "secrets.yaml.j2", secret=True, secrets=secrets)
    prefix = _object_name(draft.given.environment.name)
    draft.render("trust.yaml", "trust.yaml.j2", prefix=prefix, trust=draft.given.anchors.decode("ascii"))
    resources = ["private/secrets.yaml", "trust.yaml"]
    entries = list(_entries(draft.www(), draft))
    if sum(len(one.data) for one in entries) * 4 // 3 > _MOST:
        draft.notes.append("The CRLs are too large for a ConfigMap; serve www/ in another way.")
    else:
        base = urlsplit(draft.given.environment.base_url)
        service, port = _service_name(f"{prefix}-crl"), base.port or 80
        draft.render("crl.yaml", "crl.yaml.j2", prefix=prefix, service=service, entries=entries, port=port)
        resources.append("crl.yaml")
    draft.render("kustomization.yaml", "kustomization.yaml.j2", resources=resources)


def _secrets(draft: Draft, fit: Iterable[CaseFiles]) -> Iterator[_Secret]:
    for found in fit:
        draft.exported.append(found.case.name)
        expected = found.case.expected
        yield _Secret(_object_name(found.case.name), found.full, found.key, expected)


def _object_name(name: str) -> str:
    """A DNS subdomain name (RFC 1123) as objects need one: small letters, digits, ``-`` and ``.`` between."""
    labels = (label.strip("-") or "x" for label in name.lower().replace("_", "-").split("."))
    return ".".join(labels)


def _service_name(name: str) -> str:
    """A label of DNS (RFC 1035), as a Service needs it: it begins with a letter."""
    label = name.replace(".", "-")
    return (label if label[0].isalpha() else f"env-{label}")[-63:].lstrip("-0123456789")


def _entries(files: tuple[Published, ...], draft: Draft) -> Iterator[_Entry]:
    for one in files:
        path = one.path.removeprefix("www/")
        yield _Entry(path.replace("/", "_"), path, draft.files[one.path].data)
