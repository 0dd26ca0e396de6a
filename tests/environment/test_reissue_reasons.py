"""Reissue reasons: what a build does with one entity, decided from its plan and its entry in the index."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2s, sha256
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pkigen.asn1 import names
from pkigen.environment.build.earlier_revocations import EarlierRevocations
from pkigen.environment.build.options import Action, BuildOptions, Change
from pkigen.environment.build.reissue_reasons import (
    GIVEN,
    IMPORTED,
    ReissueDecider,
    issuer_fingerprints,
    spec_digest,
)
from pkigen.environment.crl.entries import crl_entries
from pkigen.errors import InputError
from pkigen.model import (
    ISSUED_CHAIN,
    STANDARD_FILES,
    Alteration,
    CertificatePlan,
    Edit,
    EditOp,
    Entity,
    Fault,
    GivenKey,
    ImportedCA,
    Output,
    Role,
    Signature,
)
from pkigen.store import Damage, Entry, Revoked

_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_DAY = 86400
_ID = "certificates/sensor-01"


def _entity(days: float = 100, since: float = -1, **fields: Any) -> Entity:
    name = names.name([("CN", "x")])
    begin, end = _NOW + timedelta(days=since), _NOW + timedelta(days=days)
    plan = CertificatePlan("authorities/root", name, name, 1, begin, end, Signature(), (), "spec=1")
    entity = Entity(Role.CERTIFICATE, "sensor-01", "ec-p256", (plan,), ("authorities/root",), Output())
    return replace(entity, **fields)


def _entry(entity: Entity, **fields: Any) -> Entry:
    plan = entity.certificates[0]
    begin, end = (int(time.timestamp()) for time in (plan.not_before, plan.not_after))
    serials = (("authorities/root", 1),)
    entry = Entry(
        entity.id, spec_digest(entity), "out", "f" * 64, "ec-p256", "fresh", "", serials, begin, end, "{}"
    )
    files = tuple((f"{entity.id}/{entity.name}.{suffix}", "a" * 64) for suffix in ("crt", "key"))
    return replace(entry, files=files, **fields)


def _root() -> Entity:
    root = _entity(role=Role.AUTHORITY, name="root", issuers=())
    return replace(root, certificates=(replace(root.certificates[0], issuer_id="authorities/root"),))


def _decider(opens: bool = True, **options: Any) -> ReissueDecider:
    fingerprints = {"authorities/root": "f" * 64}
    revocations = EarlierRevocations(None)
    return ReissueDecider(BuildOptions(**options), _NOW, "fresh", lambda _: opens, revocations, fingerprints)


def _change(
    entity: Entity, entry: Entry | None, *damage: Damage, output: str = "out", **options: Any
) -> Change:
    return _decider(**options).decide(entity, entry, damage, output)


def test_an_unchanged_certificate_is_kept_and_a_new_one_is_issued() -> None:
    entity = _entity()
    assert _change(entity, _entry(entity)) == Change(_ID, Action.KEEP)
    assert _change(entity, None) == Change(_ID, Action.ISSUE, ("new in the profile",), new_key=True)


@pytest.mark.parametrize(
    ("fields", "options", "reason"),
    [
        ({"key_kind": "rsa-2048"}, {}, "its key changed from rsa-2048 to ec-p256"),
        ({}, {"rekey": True}, "a new key was requested with --rekey"),
        ({"key_source": "other seed"}, {"seed": "x"}, "its key does not derive from this seed"),
    ],
)
def test_a_reason_about_the_key_makes_a_new_key(
    fields: dict[str, Any], options: dict[str, Any], reason: str
) -> None:
    entity = _entity()
    change = _change(entity, _entry(entity, **fields), **options)
    assert change == Change(_ID, Action.REISSUE, (reason,), new_key=True)


def test_an_imported_authority_never_gets_a_new_key() -> None:
    entity = _entity(imported=ImportedCA(b"certificate", (b"above",), b"key"))
    entry = _entry(entity, key_source=IMPORTED)
    assert _change(entity, entry, rekey=True, seed="x").action is Action.KEEP
    assert spec_digest(entity) != spec_digest(replace(entity, imported=ImportedCA(b"certificate", (), None)))


def test_the_digest_of_an_imported_authority_is_that_of_its_files() -> None:
    # Another digest in a later release would reissue everything below the authority.
    for key in (None, b"key"):
        imported = _entity(imported=ImportedCA(b"certificate", (b"above",), key))
        expected = blake2s(b"certificateabove" + (key or b""), digest_size=16).hexdigest()
        assert spec_digest(imported) == f"file={expected}"


def test_a_certificate_follows_the_new_key_of_an_authority_whose_key_it_shares_unless_it_is_a_case() -> None:
    root, decider = _root(), _decider()
    sharing = _entity(key_of="authorities/root")
    case = replace(sharing, fault=Fault("expired", "sensor-01", ""))
    assert decider.decide(sharing, _entry(sharing), (), "out").action is Action.KEEP
    rekeyed = decider.decide(root, _entry(root, issuers="", key_kind="rsa-2048"), (), "out")
    assert rekeyed.new_key
    decider.fingerprints["authorities/root"] = "f" * 64
    reason = "the key of root, which it shares, is new"
    change = decider.decide(sharing, _entry(sharing), (), "out")
    assert change == Change(_ID, Action.REISSUE, (reason,), new_key=True)
    assert decider.decide(case, _entry(case), (), "out").action is Action.KEEP
    assert decider.decide(_entity(), _entry(_entity()), (), "out").action is Action.KEEP


def test_another_label_of_a_shared_key_is_one_reason_and_makes_a_new_key() -> None:
    entity = _entity()
    entry = _entry(entity, spec=f"shared key=00;{spec_digest(entity)}")
    assert _change(entity, entry) == Change(_ID, Action.REISSUE, ("its shared key changed",), new_key=True)


@pytest.mark.parametrize(
    ("files", "formats", "writes_key"),
    [
        (("crt", "key"), (), True),
        (("crt",), ("der", "pkcs12"), True),
        (("crt",), ("der",), False),
        (("crt", "key"), ("der",), True),
    ],
)
def test_a_key_that_was_never_written_is_replaced_when_a_file_must_contain_it(
    files: tuple[str, ...], formats: tuple[str, ...], *, writes_key: bool
) -> None:
    entity = _entity(output=Output(formats, files=files))
    entry = replace(_entry(entity), files=((f"{_ID}/sensor-01.crt", "a" * 64),))
    rewritten = ("its files, its formats or its passphrase changed",)
    reissued = Change(_ID, Action.REISSUE, ("its key was not written to a file before",), new_key=True)
    expected = reissued if writes_key else Change(_ID, Action.REWRITE, rewritten)
    assert _change(entity, entry, output="new") == expected
    assert _change(entity, entry).action is Action.KEEP
    for fields in (
        {"fault": Fault("expired", "sensor-01", "")},
        {"imported": ImportedCA(b"certificate", (), None)},
    ):
        other = replace(entity, **fields)
        entry = replace(entry, spec=spec_digest(other))
        assert _change(other, entry, output="new") == Change(_ID, Action.REWRITE, rewritten)


@pytest.mark.parametrize(
    ("fields", "options", "reason"),
    [
        ({"issuers": "e" * 64}, {}, "its issuer's certificate changed"),
        ({}, {"renew": frozenset([_ID])}, "its renewal was requested"),
        ({"not_after": int(_NOW.timestamp()) - 1}, {}, "it expired on 2026-10-31"),
        ({"not_before": int(_NOW.timestamp()) + 1}, {}, "it is not valid before 2026-11-01"),
    ],
)
def test_a_reason_about_the_certificate_keeps_the_key(
    fields: dict[str, Any], options: dict[str, Any], reason: str
) -> None:
    entity = _entity()
    assert _change(entity, _entry(entity, **fields), **options) == Change(_ID, Action.REISSUE, (reason,))


def test_a_certificate_is_valid_in_its_first_and_last_second() -> None:
    entity, now = _entity(), int(_NOW.timestamp())
    due = _change(entity, _entry(entity, not_after=now))
    assert due.reasons == ("it expires on 2026-11-01, and is due for renewal",)
    assert _change(entity, _entry(entity, not_before=now)).action is Action.KEEP


def test_the_new_subject_of_a_root_is_not_reported_as_its_issuer_as_well() -> None:
    root = _root()
    plan = root.certificates[0]
    root = replace(root, certificates=(replace(plan, spec="subject=2;issuer=2;validity=1"),))
    before = _entry(root, spec="subject=1;issuer=1;validity=1")
    assert _decider().decide(root, before, (), "out").reasons == ("its subject changed",)
    below = _entity()
    below = replace(below, certificates=(replace(below.certificates[0], spec="subject=2;issuer=2"),))
    assert _change(below, _entry(below, spec="subject=1;issuer=1")).reasons == (
        "its subject changed",
        "its issuer changed",
    )


def test_a_certificate_follows_the_reissue_of_its_issuer() -> None:
    entity, decider = _entity(), _decider()
    decider.fingerprints.clear()
    change = decider.decide(entity, _entry(entity), (), "out")
    assert change.reasons == ("its issuer root is reissued",)
    changed = decider.decide(entity, _entry(entity, spec="spec=2"), (), "out")
    assert changed.reasons == ("its spec changed", "its issuer root is reissued")
    decider.decide(_root(), None, (), "out")
    moved = decider.decide(entity, _entry(entity), (), "out")
    assert moved.reasons == ("its issuer root is new",)
    without = replace(entity, certificates=())
    assert decider.decide(without, _entry(entity, spec="", issuers=""), (), "out").action is Action.KEEP
    root = _root()
    assert decider.decide(root, _entry(root, issuers=""), (), "out").action is Action.KEEP
    assert decider.fingerprints == {"authorities/root": "a" * 64}
    assert decider.decide(root, _entry(root, issuers=""), (), "new").action is Action.REWRITE


def test_a_certificate_is_renewed_from_the_beginning_of_its_renewal_period() -> None:
    entity = _entity(days=100, renew_before=30 * _DAY)
    due = int(_NOW.timestamp()) + 30 * _DAY
    assert _change(entity, _entry(entity, not_after=due + 1)).action is Action.KEEP
    change = _change(entity, _entry(entity, not_after=due))
    assert change.reasons == ("it expires on 2026-12-01, and is due for renewal",)


@pytest.mark.parametrize("days", [29, 30])
def test_a_certificate_shorter_than_its_renewal_period_is_not_renewed_by_every_build(days: int) -> None:
    entity = _entity(days=days, renew_before=30 * _DAY)
    assert _change(entity, _entry(entity)).action is Action.KEEP
    longer = _entity(days=30 + 1 / _DAY, renew_before=30 * _DAY)
    assert _change(longer, _entry(longer, not_after=int(_NOW.timestamp()) + _DAY)).action is Action.REISSUE


def test_certificates_that_must_be_expired_or_not_yet_valid_stay_so() -> None:
    now = int(_NOW.timestamp())
    expired = _entity(days=0, since=-10)
    assert _change(expired, _entry(expired)).action is Action.KEEP
    valid = _change(expired, _entry(expired, not_after=now + 1))
    assert valid.reasons == ("it is valid until 2026-11-01, and must be expired",)
    begins = _entity(since=0)
    assert _change(begins, _entry(begins)).action is Action.KEEP
    future = _entity(days=100, since=1)
    assert _change(future, _entry(future)).action is Action.KEEP
    begun = _change(future, _entry(future, not_before=now))
    assert begun.reasons == ("it is valid since 2026-11-01, and must not be valid yet",)


def test_damage_is_repaired_by_rewriting_or_by_reissuing() -> None:
    entity = _entity()
    chain = Damage("certificates/sensor-01/sensor-01.chain.pem", "missing")
    key = Damage("certificates/sensor-01/sensor-01.key", "missing")
    certificate = Damage("certificates/sensor-01/sensor-01.crt", "altered")
    rewritten = _change(entity, _entry(entity), chain)
    assert rewritten == Change(_ID, Action.REWRITE, (f"{chain.path} is missing",))
    reissued = _change(entity, _entry(entity), certificate)
    assert reissued == Change(_ID, Action.REISSUE, (f"{certificate.path} was altered",))
    rekeyed = _change(entity, _entry(entity), key)
    assert rekeyed == Change(_ID, Action.REISSUE, (f"{key.path} is missing",), new_key=True)


def test_changed_formats_rewrite_files_and_reissue_faulty_ones() -> None:
    entity = _entity()
    reason = ("its files, its formats or its passphrase changed",)
    assert _change(entity, _entry(entity), output="new") == Change(_ID, Action.REWRITE, reason)
    altered = _entity(output=Output(alterations=(Alteration("crt", "empty"),)))
    assert _change(altered, _entry(altered), output="new") == Change(
        _ID, Action.REISSUE, reason, new_key=True
    )
    edited = _entity()
    plan = replace(edited.certificates[0], edits=(Edit((), EditOp.REMOVE),))
    edited = replace(edited, certificates=(*edited.certificates, plan))
    entry = _entry(edited, issuers=f"{'f' * 64},{'f' * 64}")
    assert _change(edited, entry, output="new") == Change(_ID, Action.REISSUE, reason, new_key=True)


def test_a_passphrase_that_does_not_decrypt_the_key_is_an_error() -> None:
    entity = _entity()
    with pytest.raises(InputError, match="sensor-01: the profile's passphrase does not decrypt its key"):
        _change(entity, _entry(entity), output="new", opens=False)
    assert _change(entity, _entry(entity), opens=False).action is Action.KEEP
    assert _change(entity, _entry(entity), output="new", opens=False, rekey=True).action is Action.REISSUE
    imported = _entity(imported=ImportedCA(b"certificate", (), b"key"))
    assert _change(imported, _entry(imported), output="new", opens=False).action is Action.REWRITE


def test_the_key_of_a_request_is_that_of_the_request() -> None:
    given = _entity(given=GivenKey(b"public key"))
    entry = _entry(given, spki=sha256(b"public key").hexdigest(), key_source=GIVEN)
    other = _change(given, replace(entry, spki="f" * 64))
    reason = "the request or the key file of the profile has another key"
    assert other == Change(_ID, Action.REISSUE, (reason,), new_key=True)
    assert _change(given, entry, rekey=True, seed="x").action is Action.KEEP
    assert _change(given, entry, output="new", opens=False).action is Action.REWRITE
    key = Damage("certificates/sensor-01/sensor-01.key", "missing")
    assert _change(given, entry, key).action is Action.REWRITE
    without = _change(_entity(), entry)
    reason = "the profile no longer has the request or the key file of its key"
    assert without == Change(_ID, Action.REISSUE, (reason,), new_key=True)


@pytest.mark.parametrize(
    ("reason", "new_key", "text"),
    [
        ("keyCompromise", True, "revoked for keyCompromise: new key, and the new certificate is valid"),
        ("superseded", False, "revoked for superseded: the new certificate is valid"),
    ],
)
def test_a_compromised_key_is_not_used_again(reason: str, *, new_key: bool, text: str) -> None:
    decider, entity = _decider(), _entity()
    revoked = Revoked("authorities/root", 1, _ID, reason, 1, "command", "")
    decider.revocations = cast(EarlierRevocations, SimpleNamespace(replaced=lambda *_: [revoked]))
    change = decider.decide(entity, _entry(entity, spec="spec=2"), (), "out")
    assert change == Change(_ID, Action.REISSUE, ("its spec changed",), new_key, text)
    assert decider.decide(entity, _entry(entity), (), "out").action is Action.KEEP
    new = decider.decide(entity, None, (), "out")
    assert new == Change(_ID, Action.ISSUE, ("new in the profile",), True, text)
    given = _entity(given=GivenKey(b"public key"))
    entry = _entry(given, spki=sha256(b"public key").hexdigest(), key_source=GIVEN, spec="spec=2")
    if new_key:
        with pytest.raises(InputError, match=f"^{_ID}: its certificate was revoked because its key is comp"):
            decider.decide(given, entry, (), "out")
        other = replace(entry, spki="f" * 64)
        assert decider.decide(given, other, (), "out").action is Action.REISSUE
    else:
        assert decider.decide(given, entry, (), "out").new_key is False


def test_only_excludes_certificates_and_intact_authorities() -> None:
    entity, decider = _entity(), _decider(only="other-*")
    skipped = decider.decide(entity, _entry(entity), (), "out")
    assert skipped == Change(_ID, Action.SKIP, ("excluded by --only",))
    assert decider.orphans == set()
    decider.decide(entity, _entry(entity, issuers="e" * 64), (), "out")
    assert decider.orphans == {_ID}
    assert decider.decide(entity, None, (), "out").action is Action.SKIP
    assert _change(entity, None, only="sensor-*").action is Action.ISSUE
    root, decider = _root(), _decider(only="sensor-*")
    decider.fingerprints.clear()
    assert decider.decide(root, _entry(root), (), "out").action is Action.SKIP
    assert decider.fingerprints == {"authorities/root": "a" * 64}
    assert decider.orphans == set()
    assert decider.decide(root, None, (), "out").action is Action.ISSUE
    chained = replace(root, output=Output(files=(*STANDARD_FILES, ISSUED_CHAIN)))
    assert decider.decide(chained, _entry(chained, issuers=""), (), "new").action is Action.REWRITE
    complete = _entry(chained)
    complete = replace(complete, files=(*complete.files, ("authorities/root/issued-chain.pem", "a" * 64)))
    assert decider.decide(chained, complete, (), "new").action is Action.SKIP
    damaged = Damage("authorities/root/root.crt", "missing")
    assert decider.decide(root, _entry(root), (damaged,), "out").action is Action.REISSUE


def test_issuer_fingerprints_leave_out_the_entity_itself() -> None:
    entity = _entity()
    cross = replace(entity.certificates[0], issuer_id="authorities/other")
    own = replace(cross, issuer_id=_ID)
    several = replace(entity, certificates=(*entity.certificates, own, cross))
    assert issuer_fingerprints(several, {"authorities/root": "a", _ID: "b"}) == "a,"
    assert spec_digest(several) == "spec=1|spec=1|spec=1"


def test_a_serial_number_that_was_revoked_twice_is_in_the_crl_once() -> None:
    recorded = [
        Revoked("authorities/root", 5, _ID, "keyCompromise", 1, "command", ""),
        Revoked("authorities/root", 5, _ID, "superseded", 2, "profile", ""),
        Revoked("authorities/root", 6, _ID, "superseded", 2, "profile", ""),
    ]
    store: Any = SimpleNamespace(index=SimpleNamespace(revocations=lambda _issuer: recorded))
    entries = crl_entries(store, SimpleNamespace(id="authorities/root"))  # type: ignore[arg-type]
    assert [(entry.serial, entry.reason) for entry in entries] == [(5, "keyCompromise"), (6, "superseded")]
