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
    for found in exportable_cases(draft):
        certificate, key = separate_files(draft, found)
        draft.exported.append(found.case.name)
        data = found.case.data
        entries.append(
            {
                "name": found.case.name,
                "hosts": list(found.case.hosts),
                "certificate": certificate,
                "key": key,
                "not_after": data["not_after"],
                "expected": data["verdict"]["expected"],
            }
        )
    draft.trust()
    draft.render("pkigen.yaml", "pkigen.yaml.j2", certificates=entries)
    draft.render("install.yaml", "install.yaml.j2")
