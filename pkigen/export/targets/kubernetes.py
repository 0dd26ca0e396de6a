"""Kubernetes: Secrets, ConfigMaps, and a Deployment that serves the CRLs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pkigen.export.case_files import CaseFiles, NotExportable, exportable_cases
from pkigen.export.draft import Draft, Published
from pkigen.export.target import target

_MOST = 1024 * 1024 - 64 * 1024
"""Maximum bytes of data in a ConfigMap or Secret, without 64 KiB for the rest of the object."""


@dataclass(frozen=True)
class _Secret:
    name: str
    certificate: bytes
    key: bytes
    expected: str


@dataclass(frozen=True)
class _Entry:
    """A key of the ConfigMap, and the file that it contains, relative to the CRL server's root."""

    key: str
    path: str
    data: bytes


@target(
    *("secrets.yaml.j2", "trust.yaml.j2", "crl.yaml.j2", "kustomization.yaml.j2"), start="kubectl apply -k ."
)
def kubernetes(draft: Draft) -> None:
    """TLS Secrets, ConfigMaps with trust.pem and the CRLs, nginx to serve them"""
    taken = dict[str, str]()

    def fits(files: CaseFiles) -> None:
        name = _object_name(files.case.name)
        if other := taken.setdefault(name, files.case.name) != files.case.name and taken[name]:
            raise NotExportable(f"its Secret would have the same name as that of {other}")
        if len(files.full) + len(files.key) > _MOST:
            raise NotExportable("its files are too large for a Secret")
        if not files.certificate or not files.key:
            raise NotExportable("one of its files is empty, and a Secret requires both")

    secrets = list(_secrets(draft, exportable_cases(draft, fits)))
    draft.render("private/secrets.yaml", "secrets.yaml.j2", secret=True, secrets=secrets)
    prefix = _object_name(draft.given.environment.name)
    draft.render("trust.yaml", "trust.yaml.j2", prefix=prefix, trust=draft.given.anchors.decode("ascii"))
    resources = ["private/secrets.yaml", "trust.yaml"]
    entries = list(_entries(draft.www(), draft))
    if sum(len(one.data) for one in entries) * 4 // 3 > _MOST:
        draft.notes.append("The CRLs are too large for a ConfigMap; serve www/ with another server.")
    else:
        base = urlsplit(draft.given.environment.base_url)
        service, port = _service_name(f"{prefix}-crl"), base.port or 80
        draft.render("crl.yaml", "crl.yaml.j2", prefix=prefix, service=service, entries=entries, port=port)
        resources.append("crl.yaml")
    draft.render("kustomization.yaml", "kustomization.yaml.j2", resources=resources)


def _secrets(draft: Draft, fit: Iterable[CaseFiles]) -> Iterator[_Secret]:
    for files in fit:
        draft.exported.append(files.case.name)
        expected = files.case.expected
        yield _Secret(_object_name(files.case.name), files.full, files.key, expected)


def _object_name(name: str) -> str:
    """Return a valid object name, a DNS subdomain (RFC 1123): lowercase letters, digits, ``-`` and ``.``."""
    labels = (label.strip("-") or "x" for label in name.lower().replace("_", "-").split("."))
    return ".".join(labels)


def _service_name(name: str) -> str:
    """Return a valid Service name, a DNS label (RFC 1035) that begins with a letter."""
    label = name.replace(".", "-")
    return (label if label[0].isalpha() else f"env-{label}")[-63:].lstrip("-0123456789")


def _entries(files: tuple[Published, ...], draft: Draft) -> Iterator[_Entry]:
    for one in files:
        path = one.path.removeprefix("www/")
        yield _Entry(path.replace("/", "_"), path, draft.files[one.path].data)
