"""JMeter, Locust and mosquitto present the certificates of an exported fleet: `make loadtools`.

A server that requires client certificates and checks CRLs accepts all certificates of the fleet except the
expired one and the revoked one.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from pkigen.environment.environment import Environment, open_environment
from pkigen.export import FLEET_TARGETS, ExportOptions, export
from tests.environment.fleets.profiles import with_fleet
from tests.environment.profiles import build_it
from tests.loadtools.server import tls_server

_LOCUST = os.environ.get("PKIGEN_LOAD_TOOLS", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not _LOCUST, reason="make loadtools runs it"),
]
COUNT = 30
SOUND = {f"meter-{number:02}.test" for number in range(1, COUNT + 1)} - {"meter-10.test", "meter-20.test"}
"""Every certificate but the expired one (10) and the revoked one (20)."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    document = with_fleet(COUNT, 16, faults={"every": "10", "of": ["expired"]}, revoked={"every": "20"})
    document["fleets"]["meter"]["faults"] = {
        "every": "10",
        "of": ["expired", "san-wrong-host", "san-wrong-host"],
    }
    document["certificates"] = {
        "server": {
            "issuer": "issuing",
            "subject": {"CN": "server.test"},
            "san": ["ip:127.0.0.1"],
            "formats": ["fullchain"],
        }
    }
    return open_environment(build_it(document, tmp_path_factory.mktemp("lab"), jobs=1).folder)


def _exported(lab: Environment, target: str, out: Path, port: int = 8443) -> Path:
    options = ExportOptions(out=out, fleet="meter", tls_port=port)
    return export(lab, FLEET_TARGETS[target], options).folder


@pytest.mark.needs("jmeter")
def test_jmeter_presents_each_certificate(lab: Environment, tmp_path: Path) -> None:
    folder = _exported(lab, "jmeter", tmp_path / "jmeter")
    script = Path(__file__).with_name("run.bsh")
    with tls_server(lab.folder, "server") as visitors:
        command = ["jmeter", "-n", "-t", "plan.jmx", "-S", "private/system.properties"]
        properties = [f"port={visitors.port}", f"loops={COUNT}", f"beanshell.init.file={script}"]
        properties.append("https.use.cached.ssl.context=false")
        command += [word for one in properties for word in ("-J", one)]
        subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=120)
    assert set(visitors.accepted) == SOUND
    assert visitors.refused == {"certificate has expired": 1, "certificate revoked": 1}


def test_locust_presents_each_certificate(lab: Environment, tmp_path: Path) -> None:
    folder = _exported(lab, "locust", tmp_path / "locust")
    with tls_server(lab.folder, "server") as visitors:
        command = [
            str(Path(_LOCUST).absolute() / "locust"),
            "--headless",
            "--users",
            str(COUNT),
            "--spawn-rate",
            str(COUNT),
        ]
        command += ["--run-time", "8s", "--host", f"https://127.0.0.1:{visitors.port}"]
        subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=120)
    assert set(visitors.accepted) == SOUND
    assert {"certificate has expired", "certificate revoked"} <= visitors.refused.keys()


@pytest.mark.needs("mosquitto")
def test_mosquitto_refuses_exactly_what_is_expired_or_revoked(lab: Environment, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    folder = _exported(lab, "mosquitto", tmp_path / "mosquitto", port)
    configuration = folder / "mosquitto.conf"
    configuration.write_text(f"user root\n{configuration.read_text()}")  # otherwise it cannot read its key
    with subprocess.Popen(
        ["mosquitto", "-c", "mosquitto.conf"], cwd=folder, stderr=subprocess.DEVNULL
    ) as broker:
        try:
            refused = {"no broker"}
            for _ in range(50):
                done = subprocess.run(
                    ["sh", "publish.sh"], cwd=folder, check=True, capture_output=True, text=True
                )
                refused = set(done.stdout.split())
                if len(refused) < COUNT:
                    break
                time.sleep(0.1)  # the broker does not listen yet
        finally:
            broker.terminate()
    assert refused == {"meter-10", "meter-20"}
