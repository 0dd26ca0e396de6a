"""Delta, partitioned, reason-scoped and indirect CRLs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from cryptography import x509

from pkigen.environment.build.build import build
from pkigen.environment.build.dry_run import preview
from pkigen.environment.revoke import refresh_crl, revoke, unrevoke
from pkigen.errors import InputError
from pkigen.profile import Profile, load

_BASE = "http://pki.test:8080"


def _profile(folder: Path, crl: dict[str, object], **more: object) -> Profile:
    document = {
        "name": "env",
        "base_url": _BASE,
        "defaults": {"key": "ec-p256"},
        "authorities": {
            "root": {"subject": {"CN": "Root"}},
            "issuing": {"issuer": "root", "subject": {"CN": "Issuing"}, "crl": crl},
        },
        "certificates": {"host-{01..24}": {"issuer": "issuing"}},
        **more,
    }
    path = folder / "env.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return load(path)


def _certificate(env: Path, name: str, kind: str = "certificates") -> x509.Certificate:
    return x509.load_pem_x509_certificate((env / kind / name / f"{name}.crt").read_bytes())


def _points(env: Path, name: str) -> list[x509.DistributionPoint]:
    return list(_certificate(env, name).extensions.get_extension_for_class(x509.CRLDistributionPoints).value)


def _uri(point: x509.DistributionPoint) -> str:
    assert point.full_name is not None
    (name,) = point.full_name
    return str(name.value)


def _at(env: Path, url: str) -> x509.CertificateRevocationList:
    crl = x509.load_der_x509_crl((env / "www" / url.removeprefix(f"{_BASE}/")).read_bytes())
    signer = next(
        certificate
        for name in ("root", "issuing")
        if (certificate := _certificate(env, name, "authorities")).subject == crl.issuer
    )
    key = signer.public_key()
    assert crl.is_signature_valid(key)  # type: ignore[arg-type]
    return crl


def _scope(crl: x509.CertificateRevocationList) -> x509.IssuingDistributionPoint:
    extension = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert extension.critical
    return extension.value


def _number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _reason(crl: x509.CertificateRevocationList, serial: int) -> str | None:
    entry = crl.get_revoked_certificate_by_serial_number(serial)
    if entry is None:
        return None
    return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name


def test_only_the_partition_in_the_certificate_lists_it(tmp_path: Path) -> None:
    env = build(_profile(tmp_path, {"partitions": 3}), tmp_path).folder
    names = [f"host-{number:02}" for number in range(1, 25)]
    revoke(env, names[:12], reason="superseded")
    urls = {f"{_BASE}/crl/issuing/part-{number}.crl" for number in (1, 2, 3)}
    used = set()
    for name in names:
        (point,) = _points(env, name)
        used.add(_uri(point))
        for url in urls:
            crl = _at(env, url)
            full_name = _scope(crl).full_name
            assert full_name is not None
            assert [entry.value for entry in full_name] == [url]
            listed = _reason(crl, _certificate(env, name).serial_number) is not None
            assert listed == (url == _uri(point) and name in names[:12])
    assert used == urls


def test_a_faulty_copy_is_in_the_partition_of_its_base(tmp_path: Path) -> None:
    negatives = [{"of": f"host-{number:02}", "faults": ["revoked"]} for number in range(1, 9)]
    env = build(_profile(tmp_path, {"partitions": 4}, negatives=negatives), tmp_path).folder
    for number in range(1, 9):
        name = f"host-{number:02}.revoked"
        (point,) = _points(env, name)
        assert _reason(_at(env, _uri(point)), _certificate(env, name).serial_number) == "key_compromise"


def test_reasons_are_split_between_two_lists_that_cover_all(tmp_path: Path) -> None:
    env = build(_profile(tmp_path, {"reasons": ["cACompromise", "keyCompromise"]}), tmp_path).folder
    revoke(env, ["host-01"], reason="keyCompromise")
    revoke(env, ["host-02"], reason="superseded")
    revoke(env, ["host-03"])
    first, second = _points(env, "host-01")
    flags = {flag for point in (first, second) for flag in point.reasons or ()}
    assert flags == set(x509.ReasonFlags) - {x509.ReasonFlags.unspecified, x509.ReasonFlags.remove_from_crl}
    for point in (first, second):
        assert _scope(_at(env, _uri(point))).only_some_reasons == point.reasons
    serials = [_certificate(env, f"host-{number:02}").serial_number for number in (1, 2, 3)]
    listed = [[entry.serial_number for entry in _at(env, _uri(point))] for point in (first, second)]
    assert listed == [[serials[0]], sorted(serials[1:])]


def test_an_indirect_crl_names_the_issuers_of_its_entries(tmp_path: Path) -> None:
    env = build(_profile(tmp_path, {"issuer": "root"}), tmp_path).folder
    revoke(env, ["issuing", "host-01", "host-02"], reason="cessationOfOperation")
    (point,) = _points(env, "host-01")
    root, issuing = (_certificate(env, name, "authorities") for name in ("root", "issuing"))
    assert point.crl_issuer is not None
    assert [name.value for name in point.crl_issuer] == [root.subject]
    crl = _at(env, _uri(point))
    assert _scope(crl).indirect_crl
    whose, issuers = root.subject, {}
    for entry in crl:
        try:
            named = entry.extensions.get_extension_for_class(x509.CertificateIssuer)
            assert named.critical
            (whose,) = named.value.get_values_for_type(x509.DirectoryName)
        except x509.ExtensionNotFound:
            pass
        issuers[entry.serial_number] = whose
    hosts = {_certificate(env, name).serial_number: issuing.subject for name in ("host-01", "host-02")}
    assert issuers == {issuing.serial_number: root.subject, **hosts}


def test_a_delta_crl_lists_only_changes_since_its_base(tmp_path: Path) -> None:
    env = build(_profile(tmp_path, {"valid": "7d", "delta": "1d"}), tmp_path).folder
    on_hold, lost, late = (_certificate(env, f"host-{number:02}").serial_number for number in (1, 2, 3))
    revoke(env, ["host-01"], reason="certificateHold")
    revoke(env, ["host-02"], reason="keyCompromise")
    refresh_crl(env, ["issuing"])
    (point,) = _certificate(env, "host-01").extensions.get_extension_for_class(x509.FreshestCRL).value
    base = _at(env, f"{_BASE}/crl/issuing/base.crl")
    assert list(base.extensions.get_extension_for_class(x509.FreshestCRL).value) == [point]
    assert list(_at(env, _uri(point))) == []
    unrevoke(env, ["host-01"])
    revoke(env, ["host-03"], reason="superseded")
    delta, complete = _at(env, _uri(point)), _at(env, f"{_BASE}/crl/issuing.crl")
    assert _at(env, f"{_BASE}/crl/issuing/base.crl") == base
    indicator = delta.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    assert indicator.critical
    assert indicator.value.crl_number == _number(base)
    assert _number(delta) == _number(complete) > _number(base)
    assert {entry.serial_number: _reason(delta, entry.serial_number) for entry in delta} == {
        on_hold: "remove_from_crl",
        late: "superseded",
    }
    assert sorted(entry.serial_number for entry in complete) == sorted((lost, late))
    assert delta.next_update_utc is not None
    assert complete.next_update_utc is not None
    assert delta.next_update_utc < complete.next_update_utc


def test_an_altered_base_is_replaced_by_a_new_one(tmp_path: Path) -> None:
    env = build(profile := _profile(tmp_path, {"delta": "1d"}), tmp_path).folder
    (env / "www" / "crl" / "issuing" / "base.crl").write_bytes(b"no CRL")
    assert not preview(profile, tmp_path).up_to_date
    build(profile, tmp_path)
    base, complete = _at(env, f"{_BASE}/crl/issuing/base.crl"), _at(env, f"{_BASE}/crl/issuing.crl")
    assert base == complete


@pytest.mark.parametrize(
    "crl", [{"partitions": 3}, {"reasons": ["superseded"]}, {"issuer": "root"}, {"delta": "1d"}]
)
def test_a_second_build_publishes_nothing(tmp_path: Path, crl: dict[str, object]) -> None:
    profile = _profile(tmp_path, crl)
    env = build(profile, tmp_path).folder
    revoke(env, ["host-05", "host-06"])
    assert preview(profile, tmp_path).up_to_date
    assert build(profile, tmp_path).summary.up_to_date


@pytest.mark.parametrize(
    ("crl", "words"),
    [
        ({"delta": "1d", "partitions": 3}, "one of delta and partitions"),
        ({"issuer": "rot"}, "no authority is called 'rot'"),
        ({"issuer": "issuing"}, "the authority itself"),
        ({"partitions": 1}, "partitions"),
        ({"reasons": ["unspecified"]}, "reason"),
        ({"delta": "0d"}, "length of time"),
    ],
)
def test_invalid_crl_settings_are_reported_with_their_location(
    tmp_path: Path, crl: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words) as error:
        _profile(tmp_path, crl)
    assert "env.yaml" in str(error.value.problems[0])
