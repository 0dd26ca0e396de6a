"""A small lab on free ports of this machine, with whom to talk to it."""

from __future__ import annotations

import copy
import hashlib
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import Case, open_environment
from pkigen.lab.connections.connection import ConnectionState, Report
from pkigen.lab.lab import Lab
from pkigen.lab.startup import running_lab
from pkigen.lab.web import web
from pkigen.lab.web.rest import prefix_of
from pkigen.profile import load

_SUBJECT = {"C": "US", "O": "Contoso Inc.", "OU": "Contoso Labs"}


def _named(name: str, host: str) -> dict[str, Any]:
    """A certificate with a common name of its own that is for an appliance as well."""
    san = [f"dns:{name}.contoso.test", f"dns:{host}.contoso.test"]
    return {"subject": {"CN": f"{name}.contoso.test"}, "san": san}


_PROFILE: dict[str, Any] = {
    "name": "plant",
    "requirements": ["defender-iot"],
    "defaults": {"subject": _SUBJECT, "key": "rsa-2048"},
    "authorities": {
        "root": {"subject": {"CN": "Plant Root"}},
        "issuing": {"issuer": "root", "subject": {"CN": "Plant Issuing"}, "path_length": 0},
        "elsewhere": {"subject": {"CN": "Elsewhere Root"}},
    },
    "certificates": {
        "console": {"issuer": "issuing", "subject": {"CN": "console.contoso.test"}},
        "secondary": {"issuer": "issuing", "subject": {"CN": "secondary.contoso.test"}},
        "sensor-{01..03}": {"issuer": "issuing", "subject": {"CN": "{{ name }}.contoso.test"}},
        "short": {"issuer": "issuing", "valid": "2d", **_named("short", "sensor-01")},
        "foreign": {"issuer": "elsewhere", **_named("foreign", "sensor-01")},
        "sealed": {"issuer": "issuing", "passphrase": "open sesame", **_named("sealed", "sensor-02")},
        "siem": {"issuer": "issuing", "subject": {"CN": "siem.contoso.test"}},
        "soar": {"issuer": "issuing", "subject": {"CN": "soar.contoso.test"}},
    },
    "lab": {
        "console": "console",
        "secondary": "secondary",
        "sensors": ["sensor-*"],
        "fresh": ["sensor-03"],
        "interval": 3600,
        "forwarding": [
            {"name": "siem", "to": "syslog", "certificate": "siem"},
            {"name": "soar", "to": "webhook", "certificate": "soar"},
        ],
    },
}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def document(*, broken: bool = False, **lab: Any) -> dict[str, Any]:
    """The profile, with other settings of the lab; its CRL server at a port that is free.

    ``broken`` adds a certificate for each way to be refused, which takes its time.
    """
    profile = copy.deepcopy(_PROFILE)
    if broken:
        profile["negatives"] = [{"of": "sensor-03", "against": "defender-iot"}]
    profile["base_url"] = f"http://127.0.0.1:{free_port()}"
    profile["lab"].update(lab)
    return profile


def built(profile: Mapping[str, Any], out: Path) -> Path:
    """The directory of its environment."""
    return build(load(profile), out, BuildOptions(keys="pool")).folder


def presented(url: str, host: str = "any.contoso.test", **settings: Any) -> str:
    """What a TLS client is shown: the SHA-256 of the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, value in settings.items():
        setattr(context, name, value)
    where = httpx.URL(url)
    with (
        socket.create_connection((where.host, where.port or 443), 10) as plain,
        context.wrap_socket(plain, server_hostname=host or None) as connection,
    ):
        der = connection.getpeercert(binary_form=True)
    assert der is not None
    return hashlib.sha256(der).hexdigest()


@dataclass
class Person:
    """A signed-in browser at one appliance; ``client`` keeps its cookies."""

    client: httpx.Client
    csrf: str

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        """A form, as a page of the console sends it."""
        return self.client.post(path, data={"csrf": self.csrf, **(data or {})}, **more)


@dataclass
class Plant:
    """A running lab and its directory; names are those of appliances."""

    lab: Lab
    _clients: list[httpx.Client] = field(default_factory=list)
    _tokens: dict[str, str] = field(default_factory=dict)

    def client(self, name: str, **settings: Any) -> httpx.Client:
        """Somebody at an appliance who is not signed in."""
        url = self.lab.appliance(name).url
        # The certificate is for a name, and the tests of what is presented look at it themselves.
        # The server closes idle connections after 5 s, which can be when a client reuses one.
        limits = httpx.Limits(keepalive_expiry=1)
        settings = {"trust_env": False, "timeout": 120, "limits": limits, **settings}
        made = httpx.Client(base_url=url, verify=False, **settings)  # noqa: S501
        self._clients.append(made)
        return made

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def token(self, name: str) -> str:
        if name not in self._tokens:
            self._tokens[name] = self.lab.appliance(name).new_token()
        return self._tokens[name]

    def api(self, name: str) -> httpx.Client:
        """A program with an appliance's token; paths begin below its prefix.

        It closes each connection: the server permits a limited number from one address.
        """
        once = httpx.Limits(max_keepalive_connections=0)
        made = self.client(name, headers={"Authorization": self.token(name)}, limits=once)
        made.base_url = made.base_url.join(prefix_of(self.lab.appliance(name)) + "/")
        return made

    def person(self, name: str) -> Person:
        """Somebody signed in, past the question of the first time."""
        client = self.client(name)
        answer = client.post("/sign-in", data={"user": "admin", "password": self.lab.password})
        assert answer.status_code == 303, answer.text
        page = client.get("/certificate/upload").text
        match = re.search(r'name="csrf" value="([^"]+)"', page)
        assert match is not None
        return Person(client, match[1])

    def case(self, name: str) -> Case:
        return self.lab.environment[name]

    def sha256(self, case: str) -> str:
        return str(self.case(case).data["sha256"])

    def files(self, case: str, *kinds: str) -> dict[str, tuple[str, bytes]]:
        """A certificate's files as an upload sends them."""
        entity = self.case(case)
        requested = kinds or ("certificate", "key", "chain")
        paths = {kind: entity.file(kind) for kind in requested if kind in entity.data["files"]}
        return {kind: (path.name, path.read_bytes()) for kind, path in paths.items()}

    def check(self, connection: str) -> Report:
        """Have a connection made now; how it is then."""
        link = self.lab.connection(connection)
        self.lab.scheduler.now([link])
        return link.report

    def is_(self, connection: str, state: ConnectionState) -> bool:
        return self.check(connection).state is state


@contextmanager
def up(folder: Path, profile: Mapping[str, Any], **settings: Any) -> Iterator[Plant]:
    """The lab of a built environment."""
    with running_lab(folder, load(profile), web, **settings) as lab:
        plant = Plant(lab)
        try:
            yield plant
        finally:
            plant.close()


Raise = Callable[..., AbstractContextManager[Plant]]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """One lab for the tests of a file, with certificates that are broken in every way."""
    profile = document(broken=True)
    with up(built(profile, tmp_path_factory.mktemp("plant")), profile) as started:
        yield started


@pytest.fixture
def own_plant(tmp_path: Path) -> Iterator[Plant]:
    """A lab of one test's own, for what cannot be put right."""
    profile = document()
    with up(built(profile, tmp_path), profile) as started:
        yield started


def manifest_of(folder: Path) -> Mapping[str, Any]:
    return open_environment(folder).manifest
