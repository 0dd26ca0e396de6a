"""FreeRADIUS and eapol_test accept the certificates for EAP-TLS and reject their negative cases."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_crl

from pkigen import build
from pkigen.environment.environment import Case, Environment, open_environment
from tests.environment.profiles import build_it
from tests.export.conftest import free_port

pytestmark = pytest.mark.needs("freeradius", "eapol_test")

_SECRET = "radius"
_SECONDS = 30
_CONFIGURATION = """\
prefix = /usr
libdir = /usr/lib/freeradius
name = freeradius
raddbdir = {directory}
logdir = {directory}
run_dir = {directory}
log {{
 destination = stdout
}}
security {{
 reject_delay = 0
}}
client localhost {{
 ipaddr = 127.0.0.1
 secret = {secret}
}}
modules {{
 always reject {{
  rcode = reject
 }}
 eap {{
  default_eap_type = tls
  tls-config tls-common {{
   private_key_file = {directory}/server.key
   certificate_file = {directory}/server.pem
   ca_file = {directory}/ca.pem
   check_crl = yes
   tls_min_version = "1.2"
   tls_max_version = "1.2"
  }}
  tls {{
   tls = tls-common
   virtual_server = check-eap-tls
  }}
 }}
}}
server default {{
 listen {{
  type = auth
  ipaddr = 127.0.0.1
  port = {port}
 }}
 authorize {{
  eap
 }}
 authenticate {{
  eap
 }}
}}
server check-eap-tls {{
 authorize {{
  if (!({condition})) {{
   reject
  }}
  update control {{
   Auth-Type := Accept
  }}
 }}
}}
"""
_UPN = '"%{TLS-Client-Cert-Subject-Alt-Name-Upn}" == "%{User-Name}"'
_HOST = '"host/%{TLS-Client-Cert-Subject-Alt-Name-Dns}" == "%{User-Name}"'
_LOGON = r'"%{TLS-Client-Cert-X509v3-Extended-Key-Usage-OID[*]}" =~ /1\.3\.6\.1\.4\.1\.311\.20\.2\.2/'
_RESULT = re.compile("Sent Access-(Accept|Reject)")
_SERVER = "nps01.corp.example"

PURPOSE, REVOKED, EXPIRED = "unsuitable certificate purpose", "certificate revoked", "certificate has expired"
FUTURE, AUTHORITY, POLICY = "not yet valid", "invalid CA certificate", "rejected by the virtual server"
ALICE = "alice@corp.example"
LAPTOP = "host/laptop-7.corp.example"
CLIENTS = [
    ("alice", ALICE, ""),
    ("bob", "bob@corp.example", ""),
    ("bob", ALICE, POLICY),
    ("alice.client-purpose-no-clientauth", ALICE, PURPOSE),
    ("alice.client-purpose-missing", ALICE, ""),  # OpenSSL accepts a certificate without purposes
    ("alice.no-logon-purpose-1-3-6-1-4-1-311-20-2-2", ALICE, ""),  # only Windows does not list it
    ("alice.upn-no-upn", ALICE, POLICY),
    ("alice.upn-missing", ALICE, POLICY),
    ("alice.not-revoked-revoked", ALICE, REVOKED),
    ("alice.not-revoked-on-hold", ALICE, REVOKED),
    ("alice.not-ended-expired", ALICE, EXPIRED),
    ("alice.not-ended-by-a-second", ALICE, EXPIRED),
    ("alice.begun-not-yet-valid", ALICE, FUTURE),
    ("alice.trusted-no-certsign", ALICE, AUTHORITY),
    ("alice.trusted-expired-authority", ALICE, EXPIRED),
    ("laptop-7", LAPTOP, ""),
    ("laptop-7.client-purpose-no-clientauth", LAPTOP, PURPOSE),
    ("laptop-7.computer-name-no-dns", LAPTOP, POLICY),
    ("laptop-7.not-revoked-revoked", LAPTOP, REVOKED),
]
SERVERS = [
    ("nps01", ""),
    ("nps01.server-purpose-no-serverauth", "unsuitable certificate purpose"),
    ("nps01.not-ended-expired", "certificate has expired"),
    ("nps01.wireless-name-no-dns", "altSubjectName match"),
]
CARDS = [
    ("alice", ""),
    ("alice.logon-purpose-no-1-3-6-1-4-1-311-20-2-2", POLICY),
    ("alice.client-purpose-no-clientauth", PURPOSE),
    ("alice.upn-no-upn", POLICY),
    ("alice.not-revoked-revoked", REVOKED),
    ("alice.not-expired-expired", EXPIRED),
]


@dataclass
class Radius:
    """A FreeRADIUS server with its port and its output."""

    environment: Environment
    folder: Path
    port: int
    lines: list[str]
    read: threading.Condition

    def result(self, client: Case, user: str, server_name: str) -> tuple[bool, str]:
        """Authenticate a client with EAP-TLS: whether it succeeds, and what both programs print."""
        network = self.folder / "network.conf"
        network.write_text(
            "network={\n key_mgmt=WPA-EAP\n eap=TLS\n"
            f' identity="{user}"\n ca_cert="{self.environment.trust}"\n'
            f' client_cert="{client.certificate}"\n private_key="{client.key}"\n'
            f' altsubject_match="DNS:{server_name}"\n}}\n'
        )
        before = len(self.lines)
        command = ["eapol_test", "-c", str(network), "-p", str(self.port), "-s", _SECRET, "-t", str(_SECONDS)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        with self.read:
            self.read.wait_for(lambda: any(map(_RESULT.search, self.lines[before:])), _SECONDS)
        return done.returncode == 0, done.stdout + "".join(self.lines[before:])


@contextmanager
def freeradius(environment: Environment, folder: Path, name: str, condition: str) -> Iterator[Radius]:
    """Run FreeRADIUS with a certificate, by name, until the end of the block."""
    server = _cases(environment)[name]
    chains = "".join(dict.fromkeys(case.chain.read_text() for case in environment.cases()))
    crls = map(load_der_x509_crl, (path.read_bytes() for path in environment.www.rglob("*.crl")))
    (folder / "ca.pem").write_text(chains + "".join(crl.public_bytes(Encoding.PEM).decode() for crl in crls))
    (folder / "server.pem").write_text(server.certificate.read_text() + server.chain.read_text())
    copyfile(server.key, folder / "server.key")
    port = free_port()
    configuration = _CONFIGURATION.format(directory=folder, secret=_SECRET, port=port, condition=condition)
    (folder / "radiusd.conf").write_text(configuration)
    ready, lines, added = threading.Event(), list[str](), threading.Condition()
    command = ["freeradius", "-X", "-d", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:

        def read() -> None:
            for line in process.stdout or ():
                with added:
                    lines.append(line)
                    added.notify()
                if line.startswith("Ready to process requests"):
                    ready.set()
            ready.set()

        reader = threading.Thread(target=read)
        reader.start()
        try:
            assert ready.wait(_SECONDS)
            assert process.poll() is None, "".join(lines[-20:])
            yield Radius(environment, folder, port, lines, added)
        finally:
            process.terminate()
            process.wait()
            reader.join()


def _cases(environment: Environment) -> dict[str, Case]:
    return {case.name: case for case in environment.cases()}


@pytest.fixture(scope="module")
def nps(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return open_environment(build("windows-nps", tmp_path_factory.mktemp("nps")).folder)


def _verdicts(radius: Radius, expected: list[tuple[str, str, str]]) -> list[tuple[str, str, bool, str]]:
    cases, verdicts = _cases(radius.environment), []
    for name, user, reason in expected:
        accepted, output = radius.result(cases[name], user, _SERVER)
        verdicts.append((name, user, accepted, reason if reason in output else output[-3000:]))
    return verdicts


def test_freeradius_accepts_users_and_computers_and_rejects_the_negative_cases(
    nps: Environment, tmp_path: Path
) -> None:
    with freeradius(nps, tmp_path, "nps01", f"({_UPN}) || ({_HOST})") as radius:
        verdicts = _verdicts(radius, CLIENTS)
    assert verdicts == [(name, user, not reason, reason) for name, user, reason in CLIENTS]


@pytest.mark.parametrize(("name", "reason"), SERVERS)
def test_eapol_test_accepts_the_server_and_rejects_its_negative_cases(
    name: str, reason: str, nps: Environment, tmp_path: Path
) -> None:
    cases = _cases(nps)
    host = next(iter(cases[name].hosts), _SERVER)
    with freeradius(nps, tmp_path, name, _UPN) as radius:
        accepted, output = radius.result(cases["alice"], ALICE, host)
    assert accepted is not bool(reason)
    assert reason in output


def test_a_policy_for_smart_cards_accepts_the_card_and_rejects_the_negative_cases(tmp_path: Path) -> None:
    server = {"issuer": "smartcard-ca", "subject": {"CN": _SERVER}, "extended_key_usage": ["serverAuth"]}
    document = {"name": "cards", "extends": "smartcard-logon", "certificates": {"nps01": server}}
    environment = open_environment(build_it(document, tmp_path / "out", keys="pool").folder)
    cards = [(name, ALICE, reason) for name, reason in CARDS]
    with freeradius(environment, tmp_path, "nps01", f"({_UPN}) && ({_LOGON})") as radius:
        verdicts = _verdicts(radius, cards)
    assert verdicts == [(name, user, not reason, reason) for name, user, reason in cards]
