"""Ansible: variables that name the files, and a playbook that copies them."""

from __future__ import annotations

from pkigen.export.case_files import exportable_cases
from pkigen.export.draft import Draft
from pkigen.export.server_certificates import separate_files
from pkigen.export.target import target


@target("pkigen.yaml.j2", "install.yaml.j2", start="ansible-playbook -i INVENTORY install.yaml")
def ansible(draft: Draft) -> None:
    """Variables with each certificate's files, and a playbook that installs them"""
    entries = []
    for files in exportable_cases(draft):
        certificate, key = separate_files(draft, files)
        draft.exported.append(files.case.name)
        data = files.case.data
        entries.append(
            {
                "name": files.case.name,
                "hosts": list(files.case.hosts),
                "certificate": certificate,
                "key": key,
                "not_after": data["not_after"],
                "expected": data["verdict"]["expected"],
            }
        )
    draft.trust()
    draft.render("pkigen.yaml", "pkigen.yaml.j2", certificates=entries)
    draft.render("install.yaml", "install.yaml.j2")
