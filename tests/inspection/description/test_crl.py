"""CRLs: what is shown is what openssl says."""

from __future__ import annotations

import re
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkigen.asn1 import der, names, oids
from pkigen.inspection.description.crl import all_entries
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import FreshKeys
from pkigen.revocation import CertificateListPlan, RevokedCertificate, certificate_list
from pkigen.revocation.crl import certificate_issuer, invalidity_date
from pkigen.x509 import CertificateList, Malformed
from pkigen.x509.crl import _entry
from tests import tools
from tests.effort import calls
from tests.inspection.description.conftest import described, one, values

pytestmark = pytest.mark.needs("openssl")


def test_number_dates_and_issuer_are_openssls(made: Path) -> None:
    output = tools.run(
        "openssl", "crl", "-noout", "-crlnumber", "-lastupdate", "-nextupdate", "-in", made / "ca.crl"
    )
    number, this, following = (line.partition("=")[2] for line in output.splitlines())
    description = one(made / "ca.crl")
    assert int(description.data["crl_number"]) == int(number, 16) == 8000
    for name, text in (("this_update", this), ("next_update", following)):
        instant = datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
        assert description.data[name] == f"{instant:%Y-%m-%dT%H:%M:%SZ}"
    assert description.data["issuer"] == "C=DE, O=Prüfstelle, CN=ca"


def test_entries_are_openssls_with_their_reasons(made: Path) -> None:
    output = tools.run("openssl", "crl", "-noout", "-text", "-in", made / "ca.crl")
    description = one(made / "ca.crl")
    serials = re.findall(r"Serial Number: (\S+)", output)
    assert [entry["serial"] for entry in description.data["entries"]] == [text.lower() for text in serials]
    assert values(description, "entries") == (
        "01ab 2026-01-02T03:04:05Z keyCompromise",
        "02cd 2026-02-03T04:05:06Z superseded",
        "03ef 2026-03-04T05:06:07Z unspecified",
    )
    assert description.data["entry_count"] == 3


@pytest.mark.parametrize(
    ("at", "state", "words"),
    [
        (datetime(2020, 1, 1, tzinfo=UTC), "not_yet_valid", "issued in the future"),
        (datetime(2099, 1, 1, tzinfo=UTC), "stale", "stale since "),
    ],
)
def test_an_expired_crl_is_reported(made: Path, at: datetime, state: str, words: str) -> None:
    description = one(made / "ca.crl", at=at)
    assert description.data["validity"] == state
    assert values(description, "validity")[0].startswith(words)


def test_a_fresh_crl_is_reported(made: Path) -> None:
    issued = datetime.fromisoformat(one(made / "ca.crl").data["this_update"])
    assert values(one(made / "ca.crl", at=issued), "validity") == ("fresh; stale in 7 days",)


def test_the_signature_is_verified_if_the_issuer_is_available(made: Path, tmp_path: Path) -> None:
    assert one(made / "ca.crl").data["signature"] is None
    crl, _ = described(made / "ca.crl", made / "ca.crt").descriptions
    assert (crl.data["signature"], values(crl, "signature")) == (
        "good",
        (f"verifies with {made / 'ca.crt'}",),
    )
    other = tmp_path / "other.crt"
    tools.run(
        *("openssl", "req", "-x509", "-noenc", "-newkey", "ed25519", "-config", made / "ca.cnf"),
        *("-extensions", "ca", "-keyout", tmp_path / "other.key", "-out", other),
    )
    crl, _ = described(made / "ca.crl", other).descriptions
    assert (crl.data["signature"], values(crl, "signature")) == ("bad", (f"does not verify with {other}",))


def test_text_lists_the_first_entries_and_json_lists_all(made: Path, tmp_path: Path) -> None:
    for name in ("ca.cnf", "ca.crt", "ca.key"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    lines = (f"R\t300101000000Z\t260102030405Z\t{n:04X}\tunknown\t/CN={n}\n" for n in range(1, 31))
    (tmp_path / "index.txt").write_text("".join(lines))
    (tmp_path / "crlnumber").write_text("01\n")
    tools.run(
        *("openssl", "ca", "-config", "ca.cnf", "-name", "authority", "-gencrl", "-keyfile", "ca.key"),
        *("-cert", "ca.crt", "-crldays", "7", "-out", "many.crl"),
        cwd=tmp_path,
    )
    description = one(tmp_path / "many.crl")
    assert len(values(description, "entries")) == 21
    assert values(description, "entries")[-1] == "... and 10 more; --json has them all"
    assert len(description.data["entries"]) == 30


def test_an_entry_has_its_invalidity_date_and_certificate_issuer(tmp_path: Path) -> None:
    since, whose = datetime(2026, 10, 1, tzinfo=UTC), names.name([("CN", "Other")])
    further = (invalidity_date(since), certificate_issuer(names.encode(whose)))
    now = datetime(2026, 11, 1, tzinfo=UTC)
    plan = CertificateListPlan(names.name([("CN", "CA")]), b"1" * 20, 1, now, now + timedelta(days=7))
    key = FreshKeys().generate(parse_kind("ec-p256"), "")
    entries = [RevokedCertificate(7, now, "keyCompromise", further), RevokedCertificate(8, now, "superseded")]
    (tmp_path / "a.crl").write_bytes(certificate_list(plan, entries, key))
    description = one(tmp_path / "a.crl")
    assert values(description, "entries") == (
        (
            "07 2026-11-01T00:00:00Z keyCompromise, invalid since 2026-10-01T00:00:00Z,"
            " and from here on of CN=Other"
        ),
        "08 2026-11-01T00:00:00Z superseded",
    )
    assert description.data["entries"][0]["invalid_since"] == "2026-10-01T00:00:00Z"
    assert description.data["entries"][1]["certificate_issuer"] is None


def test_the_effort_for_an_entry_is_small_and_does_not_depend_on_their_number() -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    plan = CertificateListPlan(names.name([("CN", "CA")]), b"1" * 20, 1, now, now + timedelta(days=7))
    key = FreshKeys().generate(parse_kind("ec-p256"), "")
    efforts = []
    for count in (200, 600):
        times = (now - timedelta(seconds=n) for n in range(count))
        entries = [RevokedCertificate(n + (1 << 120), at, "superseded") for n, at in enumerate(times)]
        crl = CertificateList(certificate_list(plan, entries, key))
        efforts.append(calls(lambda: deque(all_entries(crl), maxlen=0)))  # noqa: B023
    assert (efforts[1] - efforts[0]) / 400 < 40


_REASON = der.sequence(der.sequence(der.oid(oids.CRL_REASON), der.octet_string(der.tlv(0x0A, b"\x01"))))
_BODY = st.builds(
    lambda serial, at, rest: der.tlv(der.INTEGER, serial) + at + rest,
    st.binary(max_size=21),
    st.sampled_from(
        (der.tlv(der.UTC_TIME, b"260131120000Z"), der.tlv(der.GENERALIZED_TIME, b"20510131120000Z"))
    ),
    st.sampled_from((b"", _REASON, _REASON * 2, der.null())),
)


def _decoded(entry: bytes) -> object:
    try:
        return _entry(entry)[:3]
    except Malformed:
        return None


@given(_BODY, st.none() | st.tuples(st.integers(0, 60), st.integers(0, 255)), st.integers(0, 3))
def test_an_entry_is_the_same_with_a_length_in_the_long_form(
    body: bytes, change: tuple[int, int] | None, cut: int
) -> None:
    """Entries with lengths of one byte have a decoder of their own."""
    if change is not None and change[0] < len(body):
        body = body[: change[0]] + bytes(change[1:]) + body[change[0] + 1 :]
    body = body[: len(body) - cut]
    assert _decoded(der.sequence(body)) == _decoded(bytes((der.SEQUENCE, 0x81, len(body))) + body)
