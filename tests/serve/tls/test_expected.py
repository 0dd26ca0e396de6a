"""Expected verdicts of TLS clients for faults in files, compared with those of a client (OpenSSL)."""

from __future__ import annotations

import ssl
from pathlib import Path
from socket import create_connection

import pytest

from pkigen import BuildOptions, build
from pkigen.environment.environment import Case
from pkigen.faults import FAULTS
from pkigen.serve import serve_tls
from pkigen.serve.tls.expected import NOT_SENT, expected_over_tls
from pkigen.serve.tls.http import page_as_html, page_as_text

FILE_FAULTS = [
    one.id for one in FAULTS.values() if (one.stage == "file" and one.verdict in "RV") or not one.sent
]
_LABELED_AS_OTHERS = {"key-pkcs8-labelled-rsa", "key-pkcs1-labelled-pkcs8", "chain-second-der-garbage"}
"""The server does not read these keys, and others do; clients differ on a block that is not DER."""


def _accepts(case: Case, port: int) -> bool:
    try:
        with (
            create_connection(("127.0.0.1", port)) as connection,
            case.client_context().wrap_socket(connection, server_hostname=case.host),
        ):
            return True
    except (ssl.SSLError, ConnectionError):
        return False


def test_a_client_accepts_cases_without_a_visible_fault(tmp_path: Path) -> None:
    profile = {
        "name": "files",
        "defaults": {"key": "rsa-2048", "formats": ["pkcs12"]},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": {"server": {"issuer": "issuing", "subject": {"CN": "server.test"}}},
        "negatives": [{"of": "server", "faults": FILE_FAULTS}],
    }
    environment = build(profile, tmp_path)
    with serve_tls(environment.folder) as url:
        port = int(url.rpartition(":")[2])
        accepted = {case.fault for case in environment.cases() if _accepts(case, port)}
    assert accepted == {None, *(one.id for one in FAULTS.values() if not one.sent)}
    for case in environment.cases():
        rejected = "varies" if case.fault in _LABELED_AS_OTHERS else "reject"
        assert expected_over_tls(case.data) == ("accept" if case.fault in accepted else rejected), case.name
    unsent, sent = environment["server.p12-bad-mac"].data, environment["server.key-mismatch"].data
    for page in (page_as_text, page_as_html):
        assert NOT_SENT in page(unsent)
        assert "did not check it" not in page(unsent)
        assert "did not check it" in page(sent)
        assert "Clients accept this certificate." in page(unsent)
        assert "Clients must reject this certificate." in page(sent)
    assert '<header class="good">' in page_as_html(unsent)
    assert '<header class="bad">' in page_as_html(sent)


def test_a_client_agrees_about_the_files_that_violate_a_requirement(tmp_path: Path) -> None:
    environment = build("negative-upload", tmp_path, BuildOptions(keys="pool"))
    cases = [case for case in environment.cases() if case.data.get("fault", {}).get("file")]
    with serve_tls(environment.folder) as url:
        port = int(url.rpartition(":")[2])
        accepted = {case.name for case in cases if _accepts(case, port)}
    assert accepted == {case.name for case in cases if expected_over_tls(case.data) == "accept"}
    rejected = {case.fault for case in cases} - {environment[name].fault for name in accepted}
    assert rejected == {
        *("key-opens-wrong", "key-opens-none", "key-matches-other"),
        *("chain-issuer-other-ca", "chain-issuer-without-issuer"),
    }


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("p12-bad-mac", "accept"),
        ("p12-bad-mac+expired", "reject"),
        ("p12-bad-mac+san-10000", "varies"),
        ("p12-bad-mac+pem-crlf", "accept"),
        ("expired", "reject"),
        ("a-fault-of-a-plugin", "reject"),
    ],
)
def test_only_faults_on_the_wire_count(fault: str, expected: str) -> None:
    data = {"verdict": {"expected": "reject"}, "fault": {"id": fault}}
    assert expected_over_tls(data) == expected
    assert expected_over_tls({**data, "fault": {"id": fault, "against": "web-server"}}) == "reject"
