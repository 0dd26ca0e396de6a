"""The key ``files``: which of certificate, key and chain are written, and what follows for commands."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen.asn1 import names
from pkigen.environment.environment import Environment, open_environment
from pkigen.environment.renew import renew
from pkigen.errors import InputError
from pkigen.export import TARGETS
from pkigen.export.export import ExportOptions, export
from pkigen.formats import pem
from pkigen.profile import load
from pkigen.serve.tls.case_selection import CaseSelector
from pkigen.x509 import Certificate
from tests.environment.profiles import Document, build_it, changes, files, manifest, reasons, small
from tests.openssl import Judge

_SHARED = "authorities/issuing/issued-chain.pem"


def _profile(console: Any = None, **defaults: Any) -> Document:
    document = small()
    document["defaults"] |= defaults
    if console is not None:
        document["certificates"]["console"]["files"] = console
    return document


def _of(folder: Path, name: str) -> set[str]:
    return {path.name for path in (folder / "certificates" / name).iterdir()}


def test_only_the_listed_files_are_written(tmp_path: Path) -> None:
    document = _profile(["crt", "chain"], files=["key", "crt"])
    document["certificates"]["like-it"] = {"like": "console", "subject": {"CN": "like.test"}}
    folder = build_it(document, tmp_path).folder
    assert _of(folder, "console") == _of(folder, "like-it") - {"like-it.crt"} | {"console.crt"}
    assert _of(folder, "console") == {"console.crt", "chain.pem"}
    assert _of(folder, "sensor-02") == {"sensor-02.crt", "sensor-02.key"}
    assert {path.name for path in (folder / "authorities/root").iterdir()} >= {"root.key", "chain.pem"}
    assert build_it(document, tmp_path).summary.up_to_date


def test_the_issuing_ca_has_the_chain_of_certificates_without_their_own(tmp_path: Path) -> None:
    document = _profile(files=["crt", "key"])
    document["certificates"]["direct"] = {"issuer": "root", "subject": {"CN": "direct.test"}}
    document["certificates"]["alone"] = {"issuer": "self", "subject": {"CN": "alone.test"}}
    folder = build_it(document, tmp_path / "a").folder
    own = build_it({**document, "defaults": small()["defaults"]}, tmp_path / "b").folder
    judge, paths = Judge(folder), {}
    for case, other in zip(manifest(folder)["cases"], manifest(own)["cases"], strict=True):
        assert judge.verify(case) == ""
        paths[case["name"]] = case["files"]["chain"]
        subjects = [
            list(map(_subject, _ders(where / one["files"]["chain"])))
            for where, one in ((folder, case), (own, other))
        ]
        assert subjects[0] == subjects[1]
    assert paths["console"] == paths["sensor-02"] == _SHARED
    assert paths["direct"] == "authorities/root/issued-chain.pem"
    assert paths["alone"] == "certificates/alone/alone.crt"
    assert not list(own.rglob("issued-chain.pem"))


def _ders(path: Path) -> list[bytes]:
    return [block.data for block in pem.blocks(path.read_bytes())]


def _subject(certificate: bytes) -> str:
    return names.text(Certificate(certificate).subject)


def test_another_list_writes_and_deletes_files_and_keeps_the_certificates(tmp_path: Path) -> None:
    at = datetime.now(UTC)
    folder = build_it(small(), tmp_path, at=at).folder
    before = files(folder)
    result = build_it(_profile(files=["crt", "key"]), tmp_path, at=at)
    rewritten = dict.fromkeys(("issuing", "console", "sensor-01", "sensor-02"), "rewrite")
    assert changes(result) == rewritten
    assert reasons(result, "console") == "its files, its formats or its passphrase changed"
    after = files(folder)
    assert before.keys() - after.keys() == {
        f"certificates/{name}/chain.pem" for name in ("console", "sensor-01", "sensor-02")
    }
    assert after.keys() - before.keys() == {_SHARED}
    unchanged = before.keys() & after.keys() - {"manifest.json"}
    assert {name: before[name] for name in unchanged} == {name: after[name] for name in unchanged}
    assert changes(build_it(small(), tmp_path, at=at)) == rewritten
    assert files(folder) == before


def test_a_shared_chain_that_is_missing_is_written_again(tmp_path: Path) -> None:
    folder = build_it(_profile(files=["crt", "key"]), tmp_path).folder
    (folder / _SHARED).unlink()
    assert changes(build_it(_profile(files=["crt", "key"]), tmp_path)) == {"issuing": "rewrite"}
    assert (folder / _SHARED).exists()


def test_a_build_of_selected_certificates_writes_the_chain_that_they_share(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path).folder
    edited = _profile(["crt", "key"])
    assert changes(build_it(edited, tmp_path, only="console"))["issuing"] == "rewrite"
    assert Judge(folder).verify(manifest(folder)["cases"][0]) == ""


def test_a_key_that_was_not_kept_is_replaced_when_it_is_wanted(tmp_path: Path) -> None:
    document = _profile(["crt"])
    folder = build_it(small(), tmp_path).folder
    before = files(folder)
    assert changes(build_it(document, tmp_path))["console"] == "rewrite"
    assert _of(folder, "console") == {"console.crt"}
    assert files(folder)["certificates/console/console.crt"] == before["certificates/console/console.crt"]

    # Without its key, files that need none are written.
    document["certificates"]["console"]["formats"] = ["der"]
    assert changes(build_it(document, tmp_path)) == {"console": "rewrite"}
    assert files(folder)["certificates/console/console.crt"] == before["certificates/console/console.crt"]

    document["certificates"]["console"]["formats"] = ["pkcs12"]
    result = build_it(document, tmp_path)
    assert changes(result) == {"console": "reissue"}
    assert reasons(result, "console") == "its key was not written to a file before"
    result = build_it(small(), tmp_path)
    assert changes(result)["console"] == "reissue"
    judge = Judge(folder)
    assert judge.key_matches(judge.manifest["cases"][0])


def test_renew_of_a_certificate_without_a_key_file_issues_it_with_a_new_key(tmp_path: Path) -> None:
    profile = tmp_path / "small.yaml"
    profile.write_text(
        "name: small\ndefaults: {key: ec-p256}\nauthorities: {root: {subject: {CN: Root}}}\n"
        "certificates: {console: {issuer: root, subject: {CN: console.test}, files: [crt]}}\n"
    )
    from pkigen.environment.build.build import build

    folder = build(load(profile), tmp_path).folder
    before = manifest(folder)["cases"][0]
    (change,) = renew(folder, ["console"]).summary.changes
    assert change.new_key
    after = manifest(folder)["cases"][0]
    assert before["key"]["spki_sha256"] != after["key"]["spki_sha256"]
    assert _of(folder, "console") == {"console.crt"}


def test_cases_with_a_fault_have_all_files_and_stay_as_they_are(tmp_path: Path) -> None:
    def document(listed: list[str]) -> Document:
        edited = _profile(files=listed)
        edited["certificates"]["broken"] = {
            "issuer": "issuing", "subject": {"CN": "broken.test"}, "faults": ["chain-missing-intermediate"]
        }  # fmt: skip
        return edited

    folder = build_it(document(["crt"]), tmp_path).folder
    assert _of(folder, "broken") == {"broken.crt", "broken.key", "chain.pem"}
    assert "broken" not in changes(build_it(document(["crt", "key"]), tmp_path))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """``console`` has no key file, ``sensor-01`` and ``sensor-02`` no chain file."""
    return open_environment(build_it(_profile(["crt", "chain"], files=["crt", "key"]), tmp_path).folder)


def test_servers_present_the_shared_chain(environment: Environment) -> None:
    credential = CaseSelector(environment.folder).present("127.0.0.1", "sensor-01.test")
    assert list(map(_subject, credential.certificates)) == [
        "O=Test, CN=sensor-01.test",
        "O=Test, CN=Small Issuing",
    ]
    context = environment["sensor-01"].server_context()
    assert isinstance(context, ssl.SSLContext)


def test_what_needs_a_key_says_that_there_is_none(environment: Environment, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"console has no key file: .*the profile omits it \(files\)"):
        environment["console"].server_context()
    selector = CaseSelector(environment.folder)
    assert "console.test" not in selector.cases().hosts
    result = export(environment, TARGETS["nginx"], ExportOptions(tmp_path / "nginx"))
    assert result.left_out == {"console": "it has no key file"}


@pytest.mark.parametrize(
    ("listed", "place", "message"),
    [
        ("[key, chain]", "4:64", "add crt: builds read the certificate from its file"),
        ("[crt, crt]", "4:64", "a file is listed twice"),
        ("[crt, kye]", "4:77", "no such file: 'kye' (did you mean 'key'?)"),
        ("crt", "4:71", "this must be a list"),
    ],
)
def test_a_wrong_list_is_an_error_at_its_place(tmp_path: Path, listed: str, place: str, message: str) -> None:
    profile = tmp_path / "p.yaml"
    profile.write_text(
        "name: p\nauthorities: {root: {subject: {CN: Root}}}\ncertificates:\n"
        f"  'a-{{1..3}}': {{issuer: root, subject: {{CN: '{{{{ name }}}}.test'}}, files: {listed}}}\n"
    )
    with pytest.raises(InputError) as raised:
        load(profile)
    assert f"p.yaml:{place}: certificates.a-{{1..3}}.files" in str(raised.value)
    assert message in str(raised.value)


def test_a_responder_needs_its_key(tmp_path: Path) -> None:
    document = _profile(["crt"])
    document["authorities"]["issuing"]["ocsp"] = {"responder": "console"}
    document["certificates"]["console"]["extended_key_usage"] = ["OCSPSigning"]
    with pytest.raises(InputError, match="'console' cannot sign OCSP responses: its 'files' do not include"):
        load(document)
