"""The TLS side of the enrollment server: what it presents, whom it trusts, and what it announces."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from pkigen.enrolment import serve_enrolment
from pkigen.enrolment.acme import orders
from pkigen.enrolment.acme.certificates import BUSY_SECONDS
from pkigen.enrolment.server import KEEP_ALIVE_SECONDS, RETRY_SECONDS
from pkigen.enrolment.server_certificate import NAME
from pkigen.environment.build.build import build
from pkigen.environment.environment import open_environment
from pkigen.environment.renew import renew
from pkigen.environment.revoke import revoke
from pkigen.errors import InputError
from pkigen.profile import load
from tests.cli.conftest import finish, start
from tests.enrolment.conftest import PROFILE, Lab


def _presented(port: int, host: str | None) -> x509.Certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), 10) as raw,
        context.wrap_socket(raw, server_hostname=host) as connection,
    ):
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def test_without_a_certificate_for_localhost_the_server_presents_its_own(lab: Lab) -> None:
    assert lab.client().get("/nothing").status_code == 404
    own = open_environment(lab.folder)[NAME]
    assert _common_name(_presented(lab.server.port, None)) == "localhost"
    assert set(own.hosts) == {"localhost", "127.0.0.1", "::1"}
    for host in ("127.0.0.1", "localhost"):
        trust = ssl.create_default_context(cafile=own.anchors[0])
        assert httpx.get(f"https://{host}:{lab.server.port}/", verify=trust).status_code == 404


def test_the_server_keeps_its_certificate_when_it_starts_again(lab: Lab) -> None:
    first = _presented(lab.server.port, None)
    with serve_enrolment(lab.folder) as again:
        assert _presented(again.port, None) == first


def test_a_revoked_server_certificate_is_replaced(lab: Lab) -> None:
    first = _presented(lab.server.port, None)
    revoke(lab.folder, (NAME,))
    with serve_enrolment(lab.folder) as again:
        assert _presented(again.port, None) != first


def test_the_certificates_of_the_server_are_not_renewed_by_command(lab: Lab) -> None:
    before = _presented(lab.server.port, None)
    result = renew(lab.folder, ["enrolment-*"])
    assert len([note for note in result.summary.notes if "belongs to the enrollment server" in note]) == 2
    with serve_enrolment(lab.folder) as again:
        assert _presented(again.port, None) == before


def test_the_server_presents_the_certificate_for_the_requested_host(lab: Lab) -> None:
    assert _common_name(_presented(lab.server.port, "console.contoso.test")) == "console.contoso.test"
    assert _common_name(_presented(lab.server.port, "unknown.test")) == "localhost"


def test_a_certificate_of_the_profile_for_localhost_is_presented(tmp_path: Path) -> None:
    mine = "  server: {issuer: issuing, subject: {CN: mine}, san: [dns:localhost]}\nenrolment:"
    (tmp_path / "devices.yaml").write_text(PROFILE.replace("enrolment:", mine))
    folder = build(load(tmp_path / "devices.yaml"), tmp_path).folder
    with serve_enrolment(folder) as server:
        assert _common_name(_presented(server.port, None)) == "mine"
    assert NAME not in [case.name for case in open_environment(folder).cases()]


def test_a_client_with_a_certificate_of_another_ca_gets_no_connection(lab: Lab, tmp_path: Path) -> None:
    key, path = tmp_path / "stranger.key", tmp_path / "stranger.crt"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=stranger -days 2"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", path], check=True, capture_output=True)
    context = ssl.create_default_context(cafile=lab.folder / "trust.pem")
    context.load_cert_chain(path, key)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{lab.server.url}/.well-known/est/cacerts", verify=context)


def test_an_environment_without_templates_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "devices.yaml").write_text(PROFILE.partition("enrolment:")[0])
    folder = build(load(tmp_path / "devices.yaml"), tmp_path).folder
    with (
        pytest.raises(InputError, match="no template of the profile names a protocol"),
        serve_enrolment(folder),
    ):
        pass


def test_the_server_announces_each_template_and_protocol(lab: Lab) -> None:
    url = lab.server.url
    assert url == f"https://localhost:{lab.server.port}"
    assert [(one.template, one.protocol, one.url) for one in lab.server.services] == [
        ("sensors", "est", f"{url}/.well-known/est/sensors"),
        ("sensors", "scep", f"{url}/scep/sensors"),
        ("sensors", "cmp", f"{url}/cmp/sensors"),
        ("open", "est", f"{url}/.well-known/est/open"),
        ("direct", "scep", f"{url}/scep/direct"),
        ("broken", "scep", f"{url}/scep/broken"),
        ("broken", "cmp", f"{url}/cmp/broken"),
    ]


def test_the_command_announces_the_server_and_logs_its_requests(folder: Path) -> None:
    process = start("serve", folder, "--port", "0", "--enrol-port", "0", "--json")
    assert process.stdout is not None
    announced = json.loads(process.stdout.readline())
    url = announced["enrol_url"]
    first = {"template": "sensors", "protocol": "est", "url": f"{url}/.well-known/est/sensors"}
    assert announced["enrolment"][0] == first
    trust = ssl.create_default_context(cafile=folder / "trust.pem")
    assert httpx.get(f"{announced['enrolment'][0]['url']}/cacerts", verify=trust).status_code == 200
    process.send_signal(signal.SIGTERM)
    outcome = finish(process)
    assert (outcome.code, "Traceback" in outcome.err) == (0, False)
    assert f"  sensors through EST: {url}/.well-known/est/sensors" in outcome.err
    assert '"GET /.well-known/est/sensors/cacerts HTTP/1.1" 200' in outcome.err


def test_the_control_api_sets_lists_and_removes_faults(folder: Path) -> None:
    process = start("serve", folder, "--port", "0", "--enrol-port", "0", "--control-port", "0", "--json")
    assert process.stdout is not None
    announced = json.loads(process.stdout.readline())
    control = json.loads((folder / ".pkigen/control.json").read_bytes())
    headers = {"Authorization": f"Bearer {control['token']}"}
    with httpx.Client(base_url=control["url"], headers=headers) as client:
        body = {"fault": {"est-unavailable": {"times": 2, "endpoint": "cacerts"}}, "template": "sensors"}
        assert client.put("/enrolment/faults", json=body).json()["left"] == 2
        trust = ssl.create_default_context(cafile=folder / "trust.pem")
        url = f"{announced['enrolment'][0]['url']}/cacerts"
        assert httpx.get(url, verify=trust).status_code == 503
        [fault] = client.get("/enrolment/faults").json()["faults"]
        assert (fault["fault"], fault["left"], fault["source"]) == ("est-unavailable", 1, "live")
        [request] = client.get("/enrolment/requests?wait=10").json()["requests"]
        assert (request["status"], request["fault"]) == (503, "est-unavailable")
        assert len(client.request("DELETE", "/enrolment/faults").json()["cleared"]) == 1
        assert httpx.get(url, verify=trust).status_code == 200
        assert client.put("/enrolment/faults", json={"fault": "est-x"}).status_code == 422
    process.send_signal(signal.SIGTERM)
    assert finish(process).code == 0


def test_a_body_above_64_kib_is_rejected(lab: Lab) -> None:
    headers = {"Content-Type": "application/pkcs10"}
    large = b"A" * (64 * 1024 + 1)
    response = lab.client().post("/.well-known/est/open/simpleenroll", content=large, headers=headers)
    assert response.status_code == 413


def test_a_client_that_waits_for_retry_after_finds_its_connection_open() -> None:
    assert 2 * max(RETRY_SECONDS, BUSY_SECONDS, orders.RETRY_SECONDS) < KEEP_ALIVE_SECONDS
