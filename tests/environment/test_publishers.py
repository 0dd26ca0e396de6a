"""Publication plans of CRLs and OCSP responses in the index equal those of the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pkigen.environment.published.publishers import (
    crl_issuer,
    load_crl_issuers,
    load_presigned_subjects,
    presigned_subject,
    save_publishers,
)
from pkigen.faults import FAULTS, Impossible
from pkigen.model import CrlForm, Entity, OcspForm
from pkigen.plan.sample import sample_case
from pkigen.store import Store

_NOW = datetime(2026, 11, 1, tzinfo=UTC)


def _entities() -> list[Entity]:
    """Every entity whose fault changes a CRL or an OCSP response."""
    entities = list[Entity]()
    for kind in FAULTS.values():
        try:
            case = kind.change(sample_case(_NOW))
        except Impossible:
            continue
        for entity in (case.entity, *case.authorities):
            if entity.crl is not None or entity.ocsp is not None:
                entities.append(entity)
    return entities


def test_the_publication_plan_of_every_fault_round_trips_through_the_index(tmp_path: Path) -> None:
    planned = _entities()
    entities = [replace(entity, name=f"entity-{place}") for place, entity in enumerate(planned)]
    lists = [issuer for entity in entities if (issuer := crl_issuer(entity))]
    answers = [subject for entity in entities if (subject := presigned_subject(entity))]
    assert len(lists) > 30
    assert answers
    with Store.open(tmp_path / "env", write=True) as store:
        save_publishers(store, entities)
        assert load_crl_issuers(store) == {one.id: one for one in lists}
        assert load_presigned_subjects(store) == {one.id: one for one in answers}


def test_plans_that_release_0_1_stored_are_read_with_all_their_values(tmp_path: Path) -> None:
    names_of_0_1 = {
        "rogue_key": "stranger",
        "indirect_crl_issuer": "listed_by",
        "wrong_cert_id_field": "mistaken",
        "op": "surgery",
    }
    entities = [replace(entity, name=f"entity-{place}") for place, entity in enumerate(_entities())]
    with Store.open(tmp_path / "env", write=True) as store:
        save_publishers(store, entities)
        issuers, subjects = load_crl_issuers(store), load_presigned_subjects(store)
        old = dict(store.index.publishers())
        for name, old_name in names_of_0_1.items():
            assert any(f'"{name}": ' in plan for plan in old.values())
            old = {key: plan.replace(f'"{name}": ', f'"{old_name}": ') for key, plan in old.items()}
        for word, old_word in {"directory": "folder", "bytes": "octets"}.items():
            forms = {value: value.replace(word, old_word) for value in (*CrlForm, *OcspForm) if word in value}
            for form, old_form in forms.items():
                assert any(f'"{form}"' in plan for plan in old.values())
                old = {key: plan.replace(f'"{form}"', f'"{old_form}"') for key, plan in old.items()}
        store.index.set_publishers(old.items())
        assert (load_crl_issuers(store), load_presigned_subjects(store)) == (issuers, subjects)
