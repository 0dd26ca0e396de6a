"""The console: who may sign in, what is asked first, and what each form does."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from pkigen.environment.revoke import revoke
from pkigen.lab.appliance.credential import local_credential
from pkigen.lab.appliance.upload import UploadResult
from pkigen.lab.web.sessions import Sessions
from tests.lab.conftest import Person, Plant, presented

PAGES = ("/", "/certificate", "/certificate/upload", "/alerts", "/events", "/try", "/api")
HEADERS = {
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
}


@pytest.fixture(scope="module")
def person(plant: Plant) -> Person:
    return plant.person("console")


@pytest.mark.parametrize("name", ["sensor-01", "console", "secondary"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_requires_a_session(path: str, name: str, plant: Plant) -> None:
    answer = plant.client(name).get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    answer = plant.person(name).client.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert {key: answer.headers[key] for key in HEADERS} == HEADERS


def test_lines_do_not_break_inside_a_date(person: Person) -> None:
    for path in ("/certificate", "/try"):
        text = person.client.get(path).text
        assert re.findall(r'<span class="date">\d{4}-\d\d-\d\d</span>', text)
    assert re.search(r"\.date \{ white-space: nowrap", person.client.get("/static/console.css").text)


@pytest.mark.parametrize("state", ["reissued", "self-signed", "foreign"])
def test_the_experiments_page_opens_for_a_certificate_that_no_ca_of_the_lab_can_revoke(
    state: str, own_plant: Plant
) -> None:
    person = own_plant.person("sensor-03" if state == "self-signed" else "sensor-01")
    if state == "reissued":
        answer = person.post("/try/renew")
    elif state == "self-signed":
        answer = person.post("/certificate/stay")
    else:
        own_plant.lab.appliance("sensor-01").install(_upload_of_another_ca(own_plant), "foreign")
        answer = person.client.get("/certificate")
    assert answer.status_code in (200, 303)
    page = person.client.get("/try")
    assert page.status_code == 200
    assert "no CA of the lab can revoke it" in page.text


def _upload_of_another_ca(plant: Plant) -> UploadResult:
    """An accepted upload of a certificate that the environment does not contain."""
    appliance = plant.lab.appliance("sensor-01")
    return UploadResult((), (), None, local_credential("sensor-01", appliance.host, plant.lab.clock()))


def test_the_first_sign_in_asks_for_an_upload_or_to_stay(own_plant: Plant) -> None:
    person = own_plant.person("sensor-03")
    for path in set(PAGES) - {"/certificate", "/certificate/upload"}:
        assert person.client.get(path).headers["location"] == "/welcome", path
    assert "locally self-signed" in person.client.get("/welcome").text
    assert person.post("/certificate/stay").headers["location"] == "/"
    assert person.client.get("/").status_code == 200
    assert own_plant.lab.appliance("sensor-03").local
    assert own_plant.lab.appliance("sensor-03").decided


def test_only_the_certificate_in_use_can_be_confirmed(own_plant: Plant) -> None:
    answer = own_plant.person("sensor-01").post("/certificate/stay")
    assert answer.status_code == 422
    assert "does not use a locally self-signed certificate" in answer.text
    assert not any("stays" in event.text for event in own_plant.lab.appliance("sensor-01").events)


def test_an_upload_by_the_form_is_in_use_at_once(own_plant: Plant) -> None:
    person = own_plant.person("sensor-03")
    answer = person.post(
        "/certificate/upload", {"name": "new", "crl_check": "on"}, files=own_plant.files("sensor-03")
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/certificate")
    assert presented(own_plant.lab.appliance("sensor-03").url) == own_plant.sha256("sensor-03")
    page = person.client.get("/certificate").text
    assert "The certificate was accepted" in page
    assert "The certificate was accepted" not in person.client.get("/certificate").text, "said once"


def test_a_rejected_form_shows_the_reason_and_an_unchecked_box_skips_the_crl(own_plant: Plant) -> None:
    person = own_plant.person("sensor-03")
    revoke(own_plant.lab.folder, ["short"])
    files = own_plant.files("short")
    answer = person.post("/certificate/upload", {"name": "x", "crl_check": "on"}, files=files)
    assert answer.status_code == 422
    assert "has been revoked by the CRL" in answer.text
    assert "What to do" in answer.text
    answer = person.post("/certificate/upload", {"name": "x"}, files=files)
    assert answer.status_code == 303


def test_a_wrong_password_is_rejected_and_logged(plant: Plant) -> None:
    client = plant.client("secondary")
    for data in (
        {"user": "admin", "password": "guess"},
        {"user": "root", "password": plant.lab.password},
        {},
    ):
        answer = client.post("/sign-in", data={"user": "", **data})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
    assert "wrong user name or password" in plant.lab.appliance("secondary").events[-1].text
    assert not any("guess" in event.text for event in plant.lab.appliance("secondary").events)


def test_the_number_of_wrong_passwords_is_limited(own_plant: Plant) -> None:
    client = own_plant.client("sensor-01")
    codes = [
        client.post("/sign-in", data={"user": "admin", "password": f"{n}"}).status_code for n in range(12)
    ]
    assert codes == [401] * 10 + [429] * 2
    answer = client.post("/sign-in", data={"user": "admin", "password": own_plant.lab.password})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 30
    data = {"user": "admin", "password": own_plant.lab.password}
    assert own_plant.client("sensor-02").post("/sign-in", data=data).status_code == 429, (
        "one for all consoles"
    )


def test_the_lockout_ends_after_its_time() -> None:
    now = [1000.0]
    sessions = Sessions(8443, "secret", lambda: now[0])
    for _ in range(9):
        assert not sessions.opens("admin", "guess", "192.0.2.1")
    assert sessions.opens("admin", "secret", "192.0.2.1")
    assert sessions.opens("admin", "secret", "192.0.2.2")
    for _ in range(10):
        assert not sessions.wait("192.0.2.1")
        assert not sessions.opens("admin", "guess", "192.0.2.1")
    assert sessions.wait("192.0.2.1") == 30
    now[0] += 29.5
    assert sessions.wait("192.0.2.1") == 1
    now[0] += 0.5
    assert sessions.wait("192.0.2.1") == 0
    assert sessions.opens("admin", "secret", "192.0.2.1")


def test_wrong_passwords_lock_out_neither_the_owner_nor_another_address() -> None:
    sessions = Sessions(8443, "secret", lambda: 1000.0)
    assert sessions.opens("admin", "secret", "192.0.2.1")
    for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
        for _ in range(50):
            sessions.opens("admin", "guess", address)
    assert sessions.wait("192.0.2.1") == 0, "the address that signed in last"
    assert sessions.wait("192.0.2.2") == 30
    assert sessions.wait("192.0.2.3") == 0
    assert sessions.wait("2001:db8::ffff") == 30, "one client has a whole /64"
    assert sessions.wait("2001:db8:0:1::1") == 0
    assert sessions.opens("admin", "secret", "192.0.2.3")
    assert sessions.wait("192.0.2.1") == 30


def test_attempts_from_many_addresses_use_a_limited_amount_of_memory() -> None:
    sessions = Sessions(8443, "secret", lambda: 1000.0)
    for number in range(3000):
        sessions.opens("admin", "guess", f"10.0.{number // 256}.{number % 256}")
    assert len(sessions._attempts) == 1024


def test_a_session_of_another_lab_does_not_replace_this_one() -> None:
    """Browsers keep cookies by host and name, and send them to every port."""
    from starlette.responses import Response

    names = set()
    for port in (8443, 9443):
        response = Response()
        Sessions(port, "secret").begin(response)
        names.add(response.headers["set-cookie"].partition("=")[0])
    assert len(names) == 2


def test_a_link_signs_in_once_and_expires(plant: Plant) -> None:
    now = [0.0]
    sessions = Sessions(8443, "secret", lambda: now[0])
    late = sessions.new_link()
    now[0] += 600
    assert not sessions.opens_link(late)
    client, link = plant.client("console"), f"/sign-in?link={plant.lab.sessions.new_link()}"
    assert client.get(link).headers["location"] == "/"
    assert client.get("/").status_code == 200
    again = plant.client("sensor-01").get(link)
    assert again.status_code == 401
    assert "This link has expired or was used." in again.text
    assert "set-cookie" not in again.headers


def test_anybody_can_download_the_root_certificate(plant: Plant) -> None:
    answer = plant.client("sensor-01").get("/root.crt")
    assert answer.content == plant.lab.environment.trust.read_bytes()
    assert answer.headers["content-disposition"].startswith('attachment; filename="')


def test_a_session_expires_and_the_oldest_is_dropped_at_the_limit() -> None:
    from starlette.requests import Request
    from starlette.responses import Response

    now = [0.0]
    sessions = Sessions(8443, "secret", lambda: now[0])

    def begun() -> Request:
        response = Response()
        sessions.begin(response)
        cookie = response.headers["set-cookie"]
        assert {"HttpOnly", "Secure", "SameSite=strict"} <= set(cookie.split("; "))
        pair = cookie.partition(";")[0].encode()
        return Request({"type": "http", "headers": [(b"cookie", pair)]})

    first = begun()
    assert sessions.of(first) is not None
    now[0] += 8 * 3600
    assert sessions.of(first) is None
    second = begun()
    for _ in range(64):
        begun()
    assert sessions.of(second) is None


FORMS: dict[str, dict[str, Any]] = {
    "/validation": {"mandatory": "on"},
    "/check": {"link": "sensor-01:console"},
    "/alerts": {"title": "From the page", "severity": "3"},
    "/try/upload": {"case": "console"},
    "/try/revoke": {"name": "soar"},
    "/try/unrevoke": {"name": "soar"},
    "/try/crl-server": {"run": "on"},
    "/try/clock": {"move": "right"},
    "/api": {},
}


@pytest.mark.parametrize("path", FORMS)
def test_every_form_redirects_to_a_page(path: str, person: Person) -> None:
    answer = person.post(path, FORMS[path])
    assert answer.status_code in (200, 303), answer.text
    if answer.status_code == 303:
        assert person.client.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("/validation", {}, 422),
        ("/validation", {"mandatory": "maybe"}, 422),
        ("/validation", {"mandatory": "off", "more": "x"}, 422),
        ("/switch", {"name": "strict", "to": "on"}, 422),
        ("/switch", {"name": "strict", "to": "maybe"}, 422),
        ("/check", {"link": "nobody:nowhere"}, 422),
        ("/alerts", {"title": "  ", "severity": "3"}, 422),
        ("/alerts", {"title": "x" * 201, "severity": "3"}, 422),
        ("/alerts", {"title": "x", "severity": "11"}, 422),
        ("/alerts", {"title": "x", "severity": "<b>"}, 422),
        ("/try/upload", {"case": "../../etc/passwd"}, 422),
        ("/try/upload", {}, 422),
        ("/try/revoke", {"name": "nobody"}, 422),
        ("/try/clock", {"move": "year"}, 422),
        ("/try/clock", {}, 422),
        ("/try/clock", {"move": "date", "date": "31 May"}, 422),
        ("/try/clock", {"move": "date", "date": "2001-01-01"}, 422),
        ("/try/clock", {"move": "date", "date": "9999-12-31"}, 422),
        ("/try/crl-server", {}, 422),
        ("/nowhere", {}, 404),
        ("/certificate", {}, 405),
    ],
)
def test_a_form_with_invalid_contents_is_rejected_with_a_reason(
    path: str, data: dict[str, str], status: int, person: Person, plant: Plant
) -> None:
    before = len(plant.lab.console.alerts)
    answer = person.post(path, data)
    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert len(plant.lab.console.alerts) == before
    assert plant.lab.console.mandatory
    assert not plant.lab.clock.ahead
    assert not plant.lab.crl_server.stopped


def test_the_experiments_page_switches_problems_on_and_off(own_plant: Plant) -> None:
    person, lab = own_plant.person("console"), own_plant.lab
    person.post("/try/crl-server", {"run": "off"})
    assert lab.crl_server.stopped
    person.post("/try/crl-server", {"run": "on"})
    assert not lab.crl_server.stopped
    person.post("/try/clock", {"move": "month"})
    assert lab.clock.ahead.days in (30, 31)
    day = (lab.clock() + timedelta(days=100)).date()
    person.post("/try/clock", {"move": "date", "date": day.isoformat()})
    assert lab.clock().date() == day
    person.post("/try/clock", {"move": "right"})
    assert lab.clock.ahead.days == 0
    person.post("/try/revoke", {"name": "sensor-01"})
    assert own_plant.check("sensor-01:console").state == "halted"
    page = person.client.get("/?link=sensor-01:console").text
    assert "sensor-01.contoso.test" in page
    assert "has been revoked" in page
    person.post("/try/unrevoke", {"name": "sensor-01"})
    assert own_plant.check("sensor-01:console").state == "connected"


def test_user_input_is_escaped_on_every_page(own_plant: Plant) -> None:
    attack = "<script>alert(1)</script>"
    person = own_plant.person("sensor-01")
    person.post("/alerts", {"title": attack, "severity": "3"})
    files = own_plant.files("sensor-01")
    files["certificate"] = (f"{attack}.crt", b"garbage")
    person.post("/certificate/upload", {"name": attack}, files=files)
    person.client.get(f"/{attack}")
    pages = "".join(person.client.get(path, params={"link": attack}).text for path in PAGES)
    assert attack not in pages
    assert "&lt;script&gt;" in pages


@pytest.fixture
def secrets_used(own_plant: Plant) -> tuple[Plant, list[bytes]]:
    """A lab in which keys and passphrases were uploaded, taken and refused, and all of them."""
    plant = own_plant
    person, api = plant.person("sensor-02"), plant.api("sensor-02")
    passphrases = [b"open sesame", b"closed sesame"]
    for passphrase in passphrases:
        data = {"name": "sealed", "passphrase": passphrase.decode()}
        api.post("certificate", data=data, files=plant.files("sealed"))
        person.post("/certificate/upload", data, files=plant.files("sealed"))
    # Into the fields that are shown, too: where people paste the wrong thing.
    key = plant.files("sensor-01", "key")["key"][1]
    api.post("certificate", files={"certificate": ("a.crt", key), "key": ("a.key", key)})
    api.post("certificate", data={"certificate": key.decode()}, files={"key": ("a.key", key)})
    api.post(
        "certificate", files={"certificate": plant.files("sensor-01")["certificate"], "key": ("k", key[9:])}
    )
    keys = [key, plant.files("sealed", "key")["key"][1]]
    return plant, [
        *passphrases,
        *(line for one in keys for line in one.splitlines()[1:-1] if len(line) == 64),
    ]


def test_no_secret_shows_anywhere(
    secrets_used: tuple[Plant, list[bytes]], capfd: pytest.CaptureFixture[str]
) -> None:
    plant, secrets = secrets_used
    texts: list[str] = [repr(plant.lab.as_json()), repr(plant.lab)]
    resources = ("connections", "certificate", "alerts", "events", "validation")
    for name in plant.lab.appliances:
        api, person = plant.api(name), plant.person(name)
        texts += [api.get(path).text for path in resources]
        texts += [person.client.get(path).text for path in PAGES]
        appliance = plant.lab.appliance(name)
        texts += [repr(appliance.credential), repr(list(appliance.events)), repr(vars(appliance))]
    plant.lab.save()
    folder = plant.lab.folder / ".pkigen/lab"
    texts += [path.read_text() for path in folder.glob("*.json")]
    texts += list(capfd.readouterr())
    text = "\n".join(texts)
    assert len(secrets) > 20
    assert not [secret for secret in secrets if secret.decode() in text]
    token, password = plant.token("sensor-02"), plant.lab.password
    assert token not in text
    assert password not in text.replace((folder / "lab.json").read_text(), "")


def test_a_token_is_shown_once(own_plant: Plant) -> None:
    person = own_plant.person("console")
    match = re.search(r"<code[^>]*>([A-Za-z0-9_-]{32})</code>", person.post("/api").text)
    assert match is not None
    assert own_plant.lab.console.accepts(match[1])
    assert match[1] not in person.client.get("/api").text


def test_only_static_files_of_the_console_are_served(plant: Plant) -> None:
    client = plant.client("console")
    assert client.get("/static/console.css").status_code == 200
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/"):
        assert client.get(httpx.URL(client.base_url, raw_path=path.encode())).status_code == 404, path
