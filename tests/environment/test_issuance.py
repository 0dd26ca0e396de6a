"""Issuance of single entities: which key each one gets, who signs it, and that batches change nothing."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkigen.environment.build import issuance
from pkigen.environment.build.issuance import (
    IssuanceTask,
    IssuanceWorker,
    IssuedEntity,
    IssuingAuthority,
)
from pkigen.errors import InputError
from pkigen.issue import issue_alike
from pkigen.keys import PrivateKey, load_private, public_key_info, to_pkcs8
from pkigen.keys.entropy import SeededEntropy
from pkigen.keys.kinds import KeyKind, parse_kind
from pkigen.keys.sources import SeededKeys
from pkigen.model import Edit, EditOp, Entity, GivenKey, ImportedCA, Issued, Signature
from pkigen.plan import plan
from pkigen.profile import load
from pkigen.store import Store

_NOW = datetime(2026, 11, 1, tzinfo=UTC)


def _entities(certificates: Mapping[str, Any], **more: Any) -> dict[str, Entity]:
    """Return the planned entities of a profile with a root and an issuing CA, issuers first."""
    document = {
        "name": "issuance",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": {name: {"issuer": "issuing", **fields} for name, fields in certificates.items()},
        **more,
    }
    numbers = count(1)
    planned = plan(load(document), _NOW, lambda *_: next(numbers))
    return {one.name: one for one in (*planned.authorities, *planned.certificates())}


def _worker(folder: Path, *authorities: Entity) -> IssuanceWorker:
    """Return a worker with a seed that has issued some authorities."""
    with Store.open(folder, write=True):
        worker = IssuanceWorker(folder, SeededKeys("x"), SeededEntropy("x"), seeded=True)
    for entity in authorities:
        _register(worker, worker.sign(IssuanceTask(entity)))
    return worker


def _register(worker: IssuanceWorker, issued: Issued) -> None:
    chain = issued.chain if issued.entity.imported else ()
    authority = IssuingAuthority(issued.certificates[0], chain, issued.key, None)
    worker.authorities[issued.entity.id] = authority


def _certificate(issued: Issued) -> x509.Certificate:
    return x509.load_der_x509_certificate(issued.certificates[0])


def _key(issued: Issued) -> bytes:
    public = _certificate(issued).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_an_entity_is_signed_by_its_issuer_and_has_the_chain_up_to_the_root(tmp_path: Path) -> None:
    root, issuing, entity = _entities({"a": {}}).values()
    worker = _worker(tmp_path, root, issuing)
    issued = worker.sign(IssuanceTask(entity))
    certificates = [x509.load_der_x509_certificate(one) for one in issued.chain]
    _certificate(issued).verify_directly_issued_by(certificates[0])
    certificates[0].verify_directly_issued_by(certificates[1])
    assert len(certificates) == 2
    assert issued.key is not None
    assert public_key_info(load_private(issued.key)) == issued.public_key == _key(issued)


def test_an_entity_keeps_its_key_or_gets_the_key_that_was_generated_in_advance(tmp_path: Path) -> None:
    root, issuing, entity = _entities({"a": {}}).values()
    worker = _worker(tmp_path, root, issuing)
    own, other = (SeededKeys(seed).generate(parse_kind("ec-p256"), "other") for seed in "yz")
    new = worker.sign(IssuanceTask(entity))
    assert _key(worker.sign(IssuanceTask(entity), other)) == public_key_info(other)
    assert _key(worker.sign(IssuanceTask(entity, to_pkcs8(own)), other)) == public_key_info(own)
    assert _key(worker.sign(IssuanceTask(entity))) == _key(new)
    assert _key(worker.sign(IssuanceTask(entity, key_number=1))) != _key(new)


def test_a_given_key_is_used_and_one_without_its_private_part_has_no_key_file(tmp_path: Path) -> None:
    root, issuing, entity = _entities({"a": {}}).values()
    worker = _worker(tmp_path, root, issuing)
    key = SeededKeys("y").generate(parse_kind("ec-p256"), "device")
    for pkcs8 in (to_pkcs8(key), None):
        given = replace(entity, given=GivenKey(public_key_info(key), pkcs8))
        issued = worker.sign(IssuanceTask(given))
        assert (issued.key, issued.public_key, _key(issued)) == (pkcs8, *[public_key_info(key)] * 2)


def test_files_are_rewritten_with_the_existing_certificates(tmp_path: Path) -> None:
    root, issuing, entity = _entities({"a": {}}).values()
    worker = _worker(tmp_path, root, issuing)
    first = worker.sign(IssuanceTask(entity))
    again = worker.sign(IssuanceTask(entity, first.key, (b"existing",)))
    assert (again.certificates, again.public_key, again.key) == ((b"existing",), first.public_key, first.key)
    given = replace(entity, given=GivenKey(first.public_key))
    again = worker.sign(IssuanceTask(given, None, (b"existing",)))
    assert (again.certificates, again.public_key, again.key) == ((b"existing",), first.public_key, None)
    no_key_file = worker.sign(IssuanceTask(entity, None, first.certificates))
    assert (no_key_file.public_key, no_key_file.key) == (first.public_key, None)


def test_an_imported_authority_keeps_its_files_and_its_path_continues_that_of_others(tmp_path: Path) -> None:
    root, issuing, entity = _entities({"a": {}}).values()
    worker = _worker(tmp_path, root)
    made = worker.sign(IssuanceTask(issuing))
    imported = ImportedCA(made.certificates[0], made.chain, made.key)
    issued = worker.sign(IssuanceTask(replace(issuing, imported=imported, certificates=(), issuers=())))
    assert (issued.certificates, issued.chain, issued.key) == (made.certificates, made.chain, made.key)
    assert issued.public_key == made.public_key
    _register(worker, issued)
    below = worker.sign(IssuanceTask(replace(entity, issuers=(issuing.id,))))
    assert below.chain == (*made.certificates, *made.chain)


def test_entities_with_one_label_share_a_key_and_with_the_id_of_an_authority_its_key(tmp_path: Path) -> None:
    root, issuing, one, other = _entities({"a": {}, "b": {}}).values()
    worker = _worker(tmp_path, root, issuing)
    shared = [worker.sign(IssuanceTask(replace(entity, key_of="cases of a"))) for entity in (one, other)]
    assert shared[0].public_key == shared[1].public_key
    replaced = worker.sign(IssuanceTask(replace(one, key_of="cases of a"), key_number=1))
    assert replaced.public_key != shared[0].public_key
    of_authority = worker.sign(IssuanceTask(replace(one, key_of=issuing.id)))
    assert of_authority.public_key == public_key_info(worker.signer(issuing.id).key)


def test_a_signature_by_another_key_has_the_identifier_of_the_issuer(tmp_path: Path) -> None:
    root, issuing, entity = _entities({"a": {}}).values()
    worker = _worker(tmp_path, root, issuing)
    rogue = replace(entity, certificates=(replace(entity.certificates[0], rogue_key="thief"),))
    certificate, sound = (_certificate(worker.sign(IssuanceTask(one))) for one in (rogue, entity))
    authority = x509.load_der_x509_certificate(worker.authorities[issuing.id].certificate)
    with pytest.raises(InvalidSignature):
        certificate.verify_directly_issued_by(authority)
    stated, expected = (
        one.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier) for one in (certificate, sound)
    )
    assert stated == expected
    assert worker.rogue_key("thief", "ec-p256") is worker.rogue_key("thief", "ec-p256")
    assert worker.rogue_key("thief", "ec-p256") is not worker.rogue_key("other", "ec-p256")


def test_a_key_that_replaces_an_issuers_has_the_kind_of_the_key_that_it_replaces(tmp_path: Path) -> None:
    authorities = {"root": {"key": "ed25519"}, "issuing": {"issuer": "root", "key": "ec-p384"}}
    root, issuing, entity = _entities({"a": {}}, authorities=authorities).values()
    worker = _worker(tmp_path, root, issuing)
    for sound in (root, issuing, entity):
        rogue = replace(sound, certificates=(replace(sound.certificates[0], rogue_key="thief"),))
        issued = (_certificate(worker.sign(IssuanceTask(one))) for one in (rogue, sound))
        algorithm, expected = (one.signature_algorithm_oid for one in issued)
        assert algorithm == expected


def test_a_seed_derives_each_key_from_the_same_owner_as_before_and_no_other_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, issuing, entity = _entities({"a": {}}).values()
    owners, generate = list[str](), SeededKeys.generate

    def recorded(keys: SeededKeys, kind: KeyKind, owner: str) -> PrivateKey:
        owners.append(owner)
        return generate(keys, kind, owner)

    monkeypatch.setattr(SeededKeys, "generate", recorded)
    worker = _worker(tmp_path, root, issuing)
    issued = worker.sign(IssuanceTask(entity))
    worker.sign(IssuanceTask(entity, key_number=2))
    shared = replace(entity, key_of="cases of a")
    for number in (0, 2):
        worker.issue_batch([IssuanceTask(shared, key_number=number)])
    worker.key("ec-p256")
    worker.authority(issued)
    authorities = ["authorities/root", "authorities/issuing"]
    of_entity = ["certificates/a", "certificates/a#2", "cases of a", "cases of a#2"]
    assert owners == [*authorities, *of_entity, "other key", "other CA"]


def test_a_fault_that_cannot_be_applied_is_an_error_that_names_it(tmp_path: Path) -> None:
    negatives = [{"of": "a", "faults": ["expired"]}]
    root, issuing, sound, case = _entities({"a": {}}, negatives=negatives).values()
    worker = _worker(tmp_path, root, issuing)
    nowhere = (Edit((99,), EditOp.REMOVE),)
    with pytest.raises(InputError, match=r"^certificates/a\.expired: the fault expired cannot be applied"):
        worker.sign(IssuanceTask(_edited(case, nowhere)))
    with pytest.raises((IndexError, ValueError)) as caught:
        worker.sign(IssuanceTask(_edited(sound, nowhere)))
    assert not isinstance(caught.value, InputError)


def _edited(entity: Entity, edits: tuple[Edit, ...]) -> Entity:
    return replace(entity, certificates=(replace(entity.certificates[0], edits=edits),))


def test_a_batch_writes_what_single_tasks_write(tmp_path: Path) -> None:
    certificates: dict[str, dict[str, Any]] = {
        **{f"n{number}": {} for number in range(3)},
        "pss": {"issuer": "rsa", "signature": "pss-sha256"},
        "plain": {"issuer": "rsa"},
        "own": {"issuer": "self"},
        "bad": {"faults": ["expired"]},
        "last": {},
    }
    authorities = {"root": {}, "issuing": {"issuer": "root"}, "rsa": {"issuer": "root", "key": "rsa-2048"}}
    root, issuing, rsa, *entities = _entities(certificates, authorities=authorities).values()
    key = SeededKeys("x").generate(parse_kind("ec-p256"), "existing")
    shared = replace(entities[0], name="shared", key_of="label")
    twice = (*entities[0].certificates, replace(entities[0].certificates[0], issuer_id=rsa.id))
    tasks = [
        *map(IssuanceTask, entities),
        IssuanceTask(shared),
        IssuanceTask(replace(entities[0], name="twice", certificates=twice)),
        IssuanceTask(replace(entities[0], name="kept"), to_pkcs8(key)),
        IssuanceTask(replace(entities[1], name="second"), key_number=2),
    ]
    batch, single = (_worker(tmp_path / name, root, issuing, rsa) for name in ("batch", "single"))
    issued = batch.issue_batch(tasks)
    assert [one.id for one in issued] == [task.entity.id for task in tasks]
    assert [_written(one) for one in issued] == [_written(single.issue(task)) for task in tasks]


def test_the_ordinary_certificates_of_a_batch_are_signed_in_one_run_per_issuer_and_algorithm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = {"a": {}, "b": {}, "own": {"issuer": "self"}, "c": {}, "d": {"issuer": "root"}}
    root, issuing, *entities = _entities(certificates).values()
    worker, runs = _worker(tmp_path, root, issuing), list[list[str]]()

    def recorded(entities: Sequence[Entity], *arguments: Any) -> list[Issued]:
        runs.append([entity.name for entity in entities])
        return issue_alike(entities, *arguments)

    monkeypatch.setattr(issuance, "issue_alike", recorded)
    worker.issue_batch(list(map(IssuanceTask, entities)))
    assert runs == [["a", "b"], ["c"], ["d"]]


def _written(issued: IssuedEntity) -> tuple[object, ...]:
    assert issued.issued is None
    return issued.id, issued.spki, issued.record, issued.staged.files


def test_a_worker_in_another_process_issues_the_same_and_has_no_loaded_keys(tmp_path: Path) -> None:
    root, issuing, entity = _entities({"a": {}}).values()
    worker = _worker(tmp_path, root, issuing)
    issued = worker.sign(IssuanceTask(entity))
    worker.rogue_key("thief", "ec-p256")
    copy = pickle.loads(pickle.dumps(worker))  # noqa: S301  written by this test
    assert copy.sign(IssuanceTask(entity)) == issued
    worker.forget(issuing.id)
    with pytest.raises(KeyError):
        worker.sign(IssuanceTask(entity))
    replaced = worker.sign(IssuanceTask(issuing, key_number=1))
    _register(worker, replaced)
    _certificate(worker.sign(IssuanceTask(entity))).verify_directly_issued_by(_certificate(replaced))


def test_the_unrelated_ca_of_a_faulty_file_has_a_certificate_and_a_crl(tmp_path: Path) -> None:
    root, issuing, entity = _entities({"a": {}}).values()
    worker = _worker(tmp_path, root, issuing)
    issued = worker.sign(IssuanceTask(entity))
    authority = x509.load_der_x509_certificate(worker.authority(issued))
    authority.verify_directly_issued_by(authority)
    assert authority.subject.rfc4514_string() == "CN=Another Test Root CA,O=Another Test PKI"
    crl = x509.load_der_x509_crl(worker.crl(issued))
    assert crl.is_signature_valid(authority.public_key())  # type: ignore[arg-type]
    assert crl.issuer == authority.subject
    assert list(crl) == []
    plan = entity.certificates[0]
    times = authority.not_valid_before_utc, authority.not_valid_after_utc
    assert times == (plan.not_before, plan.not_after) == (crl.last_update_utc, crl.next_update_utc)
    constraints, usage, identifier = authority.extensions
    assert (constraints.value, constraints.critical) == (x509.BasicConstraints(True, None), True)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign) == (True, True)
    stated = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert (identifier.value.key_identifier, identifier.critical) == (stated.key_identifier, False)
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 1
    assert worker.key("ec-p256") == worker.key("ec-p256")
    assert worker.key("ec-p256") != worker.key("ec-p384")


def test_the_unrelated_ca_has_neither_the_edits_nor_the_signature_algorithm_of_the_entity(
    tmp_path: Path,
) -> None:
    root, issuing, entity = _entities({"a": {}}).values()
    worker = _worker(tmp_path, root, issuing)
    issued = worker.sign(IssuanceTask(entity))
    faulty = replace(
        entity.certificates[0], signature=Signature("sha512"), edits=(Edit((99,), EditOp.REMOVE),)
    )
    of_faulty = replace(issued, entity=replace(entity, certificates=(faulty,)))
    assert worker.authority(of_faulty) == worker.authority(issued)
