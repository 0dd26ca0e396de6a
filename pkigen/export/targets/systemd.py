"""systemd: service credentials (systemd.exec(5), LoadCredential=)."""

from __future__ import annotations

from pkigen.export.case_files import CaseFiles, NotExportable, exportable_cases
from pkigen.export.draft import Draft
from pkigen.export.target import target

_LARGEST = 1024 * 1024
"""Maximum bytes of all credentials of a service."""


@target("credentials.conf.j2", start="cp -r credstore/. /etc/credstore/")
def systemd(draft: Draft) -> None:
    """Files for /etc/credstore, and a drop-in for the service of each certificate"""

    def fits(files: CaseFiles) -> None:
        if len(files.full) + len(files.key) + len(draft.given.anchors) > _LARGEST:
            raise NotExportable("its files are too large for credentials")

    prefix = draft.given.environment.name
    trust = f"{prefix}.trust.pem"
    draft.add(f"credstore/{trust}", draft.given.anchors)
    for files in exportable_cases(draft, fits):
        name = files.case.name
        certificate, key = f"{prefix}.{name}.crt", f"{prefix}.{name}.key"
        draft.add(f"credstore/{certificate}", files.full)
        draft.add(f"credstore/{key}", files.key, secret=True)
        path = f"drop-ins/{name}.conf"
        draft.render(
            path, "credentials.conf.j2", name=name, certificate=certificate, key=key, trust_file=trust
        )
        draft.exported.append(name)
