"""``pkigen lab``: up, seen, given a certificate and down again, with nothing left of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from pkigen.cli._lab import format_connections
from pkigen.lab.control import FILE, find_running_lab
from tests.cli.conftest import Cli, Outcome, finish, start
from tests.lab.conftest import free_port, presented

_NAMES = ("console", "sensor-01", "sensor-02")
_UP_SECONDS = 60.0


def _profile(folder: Path, **changes: Any) -> Path:
    names = {name: {"issuer": "root", "subject": {"CN": f"{name}.contoso.test"}} for name in _NAMES}
    document = {
        "name": "plant",
        "base_url": f"http://127.0.0.1:{free_port()}",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {"subject": {"CN": "Plant Root"}}},
        "certificates": names,
        "negatives": [{"of": "sensor-01", "faults": ["expired"]}],
        "lab": {"console": "console", "sensors": ["sensor-*"], "fresh": ["sensor-02"], "interval": 3600},
        **changes,
    }
    path = folder / "plant.yaml"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return _profile(tmp_path)


def _is_free(url: str) -> bool:
    with closing(socket.socket()) as tried:
        return tried.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) != 0


def _urls(status: dict[str, Any]) -> list[str]:
    urls = [one["url"] for one in (*status["appliances"], *status["receivers"])]
    return [*urls, status["crl_server"]["url"]]


class Up:
    """A lab in the foreground; ``status`` is the status that it printed.

    Its messages go to a file: a reader of this process that outlives its test cannot take a part of them.
    """

    def __init__(self, profile: Path, *more: str) -> None:
        self.folder, self.profile = profile.parent, profile
        self.out = ("--out", str(self.folder / "out"))
        where = ("--out", str(self.folder / "out"), "--port", "0", "--json")
        group = {"start_new_session": True} if sys.platform != "win32" else {}
        with self._messages.open("wb") as messages:
            self.process = start(
                "lab", "up", profile, *where, *more, cwd=self.folder, stderr=messages, **group
            )
        assert self.process.stdout is not None
        self.status: dict[str, Any] = json.loads(self.process.stdout.readline() or b"{}")

    def end(self, how: int) -> Outcome:
        self.process.send_signal(how)
        outcome = finish(self.process)
        return replace(outcome, err=self._messages.read_text("utf-8"))

    @property
    def _messages(self) -> Path:
        return self.folder / "messages.txt"


@pytest.fixture
def up(profile: Path) -> Iterator[Up]:
    """One for a test that ends it."""
    lab = Up(profile)
    yield lab
    lab.process.kill()
    finish(lab.process)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One for all tests that leave it up."""
    lab = Up(_profile(tmp_path_factory.mktemp("shared")))
    yield lab
    lab.process.kill()
    finish(lab.process)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals of this kind")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_lab_without_leftovers(how: int, up: Up) -> None:
    urls = _urls(up.status)
    assert len(urls) == 4
    assert not any(map(_is_free, urls))
    outcome = up.end(how)
    assert outcome.code == 0, outcome.err
    assert outcome.err.splitlines()[-1] == "The lab has stopped."
    assert all(map(_is_free, urls))
    assert not (up.folder / "out/plant" / FILE).exists()
    # Under load, one of the messages was missing twice in hundreds of runs; the cause is not known.
    assert set(outcome.err.splitlines()) <= {
        f"Building {up.folder / 'out/plant'} ...",
        "The lab is running. Press Ctrl-C to stop it.",
        "The lab has stopped.",
    }, "no noise"


def test_a_second_lab_reports_that_the_first_is_running(shared: Up, cli: Cli) -> None:
    for more in ((), ("--detach",)):
        outcome = cli("lab", "up", shared.profile, "--port", "0", *shared.out, *more)
        assert outcome.code == 3
        assert "is already running; show it with `pkigen lab status " in outcome.err
    assert find_running_lab(shared.folder / "out/plant") is not None


def test_status_has_text_and_json(shared: Up, cli: Cli) -> None:
    outcome = cli("lab", "status", "--json", *shared.out)
    assert outcome.code == 0
    status = json.loads(outcome.out)
    assert status["environment"] == "plant"
    assert [one["url"] for one in status["appliances"]] == [one["url"] for one in shared.status["appliances"]]
    assert status["password"] == shared.status["password"]
    outcome = cli("lab", "status", "plant", *shared.out)
    assert outcome.code == 0
    assert f"User name admin, password {status['password']}" in outcome.out
    for url in _urls(status):
        assert url in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_stopped_connections_are_shown_with_a_remedy_in_80_columns() -> None:
    cause = {"certificate": "sensor-01.contoso.test", "message": "Revoked, " * 9, "advice": "Get one. " * 9}
    link = {"from": "s" * 20, "to": "c" * 20, "state": "halted", "queued": 2, "summary": "No. " * 30}
    lines = "\n".join(format_connections({"connections": [{**link, "causes": [cause, cause]}]})).splitlines()
    assert lines[0].endswith("halted, 2 alerts queued")
    assert sum(line.startswith("    What to do: Get one.") for line in lines) == 1, "said once"
    assert max(map(len, lines)) <= 80


def test_down_waits_until_the_lab_has_ended(up: Up, cli: Cli) -> None:
    outcome = cli("lab", "down")
    assert outcome.code == 0, outcome.err
    assert "has stopped" in outcome.err
    assert all(map(_is_free, _urls(up.status)))
    assert finish(up.process).code == 0
    for command in (("down",), ("status",), ("status", "plant"), ("down", "nowhere")):
        outcome = cli("lab", *command)
        assert outcome.code == 1
        assert "no lab is running" in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="no signals of this kind")
def test_a_killed_lab_does_not_block_the_next(
    up: Up, cli: Cli, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(up.process.pid, signal.SIGKILL)
    finish(up.process)
    stale = up.folder / "out/plant" / FILE
    assert stale.exists()
    assert cli("lab", "status").code == 1
    # Another program has got the port since.
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        state = json.loads(stale.read_text())
        state["url"] = f"http://127.0.0.1:{other.getsockname()[1]}"
        stale.write_text(json.dumps(state))
        monkeypatch.setattr("pkigen.lab.control._LOOK_SECONDS", 0.2)
        assert cli("lab", "status").code == 1
    again = Up(profile)
    try:
        assert again.status["password"] == up.status["password"]
    finally:
        assert again.end(signal.SIGTERM).code == 0


def test_a_detached_lab_runs_until_it_is_ended(cli: Cli, profile: Path) -> None:
    detaching = ("lab", "up", profile, "--port", "0", "--detach", "--json")
    outcome = finish(start(*detaching, cwd=profile.parent))
    assert outcome.code == 0, outcome.err
    status = json.loads(outcome.out)
    try:
        assert all(presented(one["url"]) for one in status["appliances"])
        assert json.loads(cli("lab", "status", "--json").out)["appliances"] == status["appliances"]
    finally:
        outcome = cli("lab", "down")
    assert outcome.code == 0, outcome.err
    assert all(map(_is_free, _urls(status)))


@pytest.mark.parametrize("detach", [(), ("--detach",)])
def test_a_used_port_of_the_crl_server_is_reported(detach: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        profile = _profile(tmp_path, base_url=f"http://127.0.0.1:{port}")
        outcome = cli("lab", "up", profile, "--port", "0", *detach)
    assert outcome.code == 3
    assert f"port {port}" in outcome.err
    assert "change base_url" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_used_port_of_an_appliance_is_reported(cli: Cli, profile: Path) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        outcome = cli("lab", "up", profile, "--port", port)
    assert outcome.code == 3
    assert f"port {port}: another program uses the port. Choose another with --port" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_port_above_65535_is_reported(cli: Cli, profile: Path) -> None:
    outcome = cli("lab", "up", profile, "--port", "65535")
    assert outcome.code == 2
    assert "65535 is the last port" in outcome.err


@pytest.mark.parametrize(
    ("changes", "words", "detach"),
    [
        ({"lab": {"console": "consol"}}, "the profile has no certificate 'consol'", ()),
        ({"lab": {"console": "console", "sensors": ["console"]}}, "has two roles", ("--detach",)),
        ({"base_url": "https://127.0.0.1:1"}, "requires an http URL", ()),
    ],
)
def test_a_profile_that_cannot_be_a_lab_is_rejected(
    changes: dict[str, Any], words: str, detach: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    outcome = cli("lab", "up", _profile(tmp_path, **changes), "--port", "0", *detach)
    assert outcome.code == 2, outcome.err
    assert words in outcome.err
    assert "Traceback" not in outcome.err


def test_a_profile_without_a_lab_is_reported_with_a_remedy(cli: Cli, tmp_path: Path) -> None:
    profile = _profile(tmp_path)
    document = json.loads(profile.read_text())
    del document["lab"]
    profile.write_text(json.dumps(document))
    outcome = cli("lab", "up", profile)
    assert outcome.code == 2
    assert "the profile has no 'lab' section; add one, for example lab: {console:" in outcome.err


def test_import_is_accepted_or_refused_with_its_messages(shared: Up, cli: Cli) -> None:
    made = shared.folder / "out/plant/certificates"
    good = ("--crt", made / "sensor-02/sensor-02.crt", "--key", made / "sensor-02/sensor-02.key")
    chain = ("--chain", made / "sensor-02/chain.pem")
    outcome = cli("lab", "import", "sensor-02", *shared.out, *good, *chain)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Accepted. sensor-02 presents the certificate on new connections.")
    outcome = cli("lab", "import", "sensor-02", *shared.out, *good, *chain, "--json")
    assert json.loads(outcome.out)["accepted"] is True
    old = made / "sensor-01.expired"
    bad = ("--crt", old / "sensor-01.expired.crt", "--key", old / "sensor-01.expired.key", *chain)
    outcome = cli("lab", "import", "sensor-02", *shared.out, *bad)
    assert outcome.code == 1
    assert outcome.out.startswith("Refused. The previous certificate stays in use.")
    assert "This SSL certificate has expired and isn't considered valid." in outcome.out
    assert "What to do" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80
    outcome = cli("lab", "import", "sensor-02", *shared.out, *bad, "--json")
    assert outcome.code == 1
    assert json.loads(outcome.out)["accepted"] is False


def test_import_accepts_one_passphrase(shared: Up, cli: Cli) -> None:
    made = shared.folder / "out/plant/certificates/sensor-02"
    sealed, phrase = shared.folder / "sealed.key", shared.folder / "phrase"
    key = load_pem_private_key((made / "sensor-02.key").read_bytes(), None)
    cipher = BestAvailableEncryption(b"sesame")
    sealed.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cipher))
    files = ("sensor-02", "--crt", made / "sensor-02.crt", "--key", sealed, "--chain", made / "chain.pem")
    for passphrase, code in (("sesame", 0), ("wrong", 1)):
        phrase.write_text(f"{passphrase}\n")
        outcome = cli("lab", "import", *shared.out, *files, "--passphrase-file", phrase)
        assert outcome.code == code, outcome
        assert ("Passphrase does not match to the key" in outcome.out) is (code == 1)
    outcome = cli("lab", "import", *shared.out, *files, "--passphrase-file", phrase, "--pass", "sesame")
    assert outcome.code == 2
    assert "cannot be combined with --pass" in outcome.err


def test_a_token_is_valid_until_the_next_is_created(shared: Up, cli: Cli) -> None:
    url = next(one["url"] for one in shared.status["appliances"] if one["name"] == "sensor-01")

    def status_with(token: str) -> int:
        headers = {"Authorization": token.strip()}
        where = f"{url}/api/external/alerts"
        return httpx.get(where, headers=headers, verify=False, trust_env=False).status_code  # noqa: S501

    first = cli("lab", "token", "sensor-01", *shared.out)
    assert (first.code, first.err) == (0, "")
    assert status_with(first.out) == 200
    second = json.loads(cli("lab", "token", "sensor-01", *shared.out, "--json").out)["token"]
    assert (status_with(first.out), status_with(second)) == (401, 200)
    outcome = cli("lab", "token", "sensor-1", *shared.out)
    assert outcome.code == 2
    assert "did you mean 'sensor-01'?" in outcome.err


def test_import_of_unreadable_files_is_an_input_error(shared: Up, cli: Cli) -> None:
    made = shared.folder / "out/plant/certificates"
    crt, key = made / "sensor-02/sensor-02.crt", made / "sensor-02/sensor-02.key"
    large = shared.folder / "large.key"
    large.write_bytes(b"x" * 300_000)
    for arguments, words in (
        (("sensor-02", "--crt", key, "--key", key), "does not end in .crt"),
        (("sensor-02", "--crt", shared.folder / "no.crt", "--key", key), "no.crt"),
        (("sensor-02", "--crt", crt, "--key", large), "large.key"),
        (("sensor-99", "--crt", crt, "--key", key), "no appliance 'sensor-99'"),
        (("a/../b?c#d", "--crt", crt, "--key", key), "no appliance 'a/../b?c#d'"),
        (("sensor-02", "--crt", crt, "--key", key, "--env", "other"), "no lab is running"),
    ):
        outcome = cli("lab", "import", *shared.out, *arguments)
        assert outcome.code == (1 if "--env" in arguments else 2), outcome.err
        assert words in outcome.err
        assert "Traceback" not in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="no signals of this kind")
def test_ctrl_c_during_a_detached_start_leaves_nothing(profile: Path) -> None:
    started = start(
        "lab", "up", profile, "--port", "0", "--detach", cwd=profile.parent, start_new_session=True
    )
    building = profile.parent / "out/plant"
    deadline = time.monotonic() + _UP_SECONDS
    while not building.exists() and time.monotonic() < deadline:
        assert started.poll() is None
        time.sleep(0.005)
    started.send_signal(signal.SIGINT)
    outcome = finish(started)
    assert "Traceback" not in outcome.err
    running = find_running_lab(building)
    assert (outcome.code == 130) is (running is None), outcome
    if running is not None:
        running.stop()
    assert running is not None or not _commands_with(profile)


def _commands_with(argument: Path) -> list[bytes]:
    """Return the commands of the processes of this machine that have an argument; none without /proc."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            commands.append(path.read_bytes())
    return [command for command in commands if os.fsencode(argument) in command.split(b"\0")]
