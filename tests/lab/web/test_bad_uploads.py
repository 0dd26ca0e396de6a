"""Uploads that are not what they should be: each is refused clearly, and nothing has changed."""

from __future__ import annotations

import re
import resource
import socket
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkigen.lab.web.fields import MAX_BODY_BYTES
from pkigen.lab.web.sessions import Session
from tests import tools
from tests.lab.conftest import Person, Plant, presented

SENSOR = "sensor-01"
FORM = "/certificate/upload"
GIGABYTE = 1 << 30
_BOUNDARY = "----pkigen"


@pytest.fixture
def unchanged(plant: Plant) -> Iterator[Plant]:
    """The lab; afterwards the appliance presents and keeps what it did before."""
    sensor = plant.lab.appliance(SENSOR)
    path = plant.lab.folder / ".pkigen/lab" / f"appliance-{SENSOR}.pem"
    before = presented(sensor.url), path.read_bytes(), sensor.title, sensor.anchors
    yield plant
    assert (presented(sensor.url), path.read_bytes(), sensor.title, sensor.anchors) == before
    assert not list(path.parent.glob("*.new"))


@pytest.fixture(scope="module")
def person(plant: Plant) -> Person:
    return plant.person(SENSOR)


def _parts(*parts: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """Return a form with these parts, and its headers."""
    body = b"".join(
        f"--{_BOUNDARY}\r\n{head}\r\n\r\n".encode("latin-1") + data + b"\r\n" for head, data in parts
    )
    return body + f"--{_BOUNDARY}--\r\n".encode(), {
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"
    }


def _part(name: str, file: str | None = None) -> str:
    header = f'Content-Disposition: form-data; name="{name}"'
    return header if file is None else f'{header}; filename="{file}"'


WRONG: dict[str, tuple[Any, int, str]] = {
    "no files": ({"data": {"name": "x"}}, 422, "Select a file for the certificate and key"),
    "no key": ({"files": {"certificate": ("a.crt", b"x")}}, 422, "Select a file for the key"),
    "a text for a file": ({"data": {"certificate": "text"}}, 422, "'certificate' must contain a file"),
    "a file for a text": (
        {"files": {"name": ("a", b"x"), "certificate": ("a.crt", b"x"), "key": ("a.key", b"x")}},
        422,
        "'name' must contain text",
    ),
    "an unknown field": ({"files": {"other": ("a.crt", b"x")}}, 422, "Unknown field 'other'"),
    "an unknown text": ({"data": {"<b>\x00": "x"}}, 422, "Unknown field"),
    "a field twice": (
        {"files": [("certificate", ("a.crt", b"x")), ("certificate", ("a.crt", b"x"))]},
        422,
        "'certificate' occurs more than once",
    ),
    "a file too large": (
        {"files": {"certificate": ("a.crt", b"x" * (256 * 1024 + 1)), "key": ("a.key", b"x")}},
        413,
        "the maximum is 256 KiB",
    ),
    "all too large": (
        {"files": {"certificate": ("a.crt", b"x" * MAX_BODY_BYTES), "key": ("a.key", b"x")}},
        413,
        "exceeds 832 KiB",
    ),
    "a text too long": (
        {"data": {"passphrase": "x" * 5000}, "files": {"certificate": ("a.crt", b"x")}},
        400,
        "exceeded maximum size",
    ),
    "a name too long": (
        {"data": {"name": "x" * 101}, "files": {"certificate": ("a.crt", b"x"), "key": ("a", b"x")}},
        422,
        "must not exceed 100 characters",
    ),
    "a passphrase too long": (
        {"data": {"passphrase": "x" * 1025}, "files": {"certificate": ("a.crt", b"x"), "key": ("a", b"x")}},
        422,
        "must not exceed 1,024 characters",
    ),
    "many fields": (
        {"data": {f"n{number}": "x" for number in range(50)}, "files": {"key": ("a", b"x")}},
        400,
        "Too many fields",
    ),
    "a box that is neither": (
        {"data": {"crl_check": "maybe"}, "files": {"certificate": ("a.crt", b"x"), "key": ("a", b"x")}},
        422,
        "on or off",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_invalid_form_is_rejected_with_a_reason(what: str, unchanged: Plant, person: Person) -> None:
    sent, status, words = WRONG[what]
    by_form = person.post(FORM, **{"files": {}, **sent})
    assert by_form.status_code == status
    assert words in _text(by_form)
    if "files" in sent:
        by_program = unchanged.api(SENSOR).post("certificate", **sent)
        assert by_program.status_code == status
        assert words in by_program.json()["error"]


def _text(answer: httpx.Response) -> str:
    """A page without its marks."""
    from html import unescape

    return unescape(re.sub(r"<[^>]*>", "", answer.text))


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        (b"", "multipart/form-data", 400),
        (b"", "multipart/form-data; boundary=x", 422),
        (b"garbage", "multipart/form-data; boundary=x", 400),
        (b"--x\r\nno head", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n" + b"A" * 100_000, "multipart/form-data; boundary=x", 400),
        (b"--x\r\n\r\ndata\r\n--x--\r\n", "multipart/form-data; boundary=x", 400),
        (b"{}", "application/json", 422),
        (b"a=" + b"x" * 100_000, "application/x-www-form-urlencoded", 400),
        (b"certificate=%ff&key=%00", "application/x-www-form-urlencoded", 422),
    ],
)
def test_a_body_that_is_no_form_is_rejected(
    content: bytes, media: str, status: int, unchanged: Plant, person: Person
) -> None:
    api = unchanged.api(SENSOR)
    answer = api.post("certificate", content=content, headers={"Content-Type": media})
    assert answer.status_code == (status if media.startswith("multipart") else 415)
    assert answer.json()["error"]
    answer = person.client.post(FORM, content=content, headers={"Content-Type": media})
    assert answer.status_code in (status, 403), "without the form's secret it is refused in any case"


@pytest.mark.parametrize("charset", ["utf-16", "unicode_escape", "idna", "undefined", "hex", "no-such"])
def test_a_form_in_another_charset_is_rejected(charset: str, unchanged: Plant) -> None:
    body, headers = _parts((_part("name"), b"\\ud800"), (_part("key", "a"), b"x"))
    headers["Content-Type"] += f"; charset={charset}"
    answer = unchanged.api(SENSOR).post("certificate", content=body, headers=headers)
    assert answer.status_code == 415
    assert answer.json() == {"error": "Send the form in UTF-8."}


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "C:\\\\x", "a\x01b", "x" * 3000, "/", "\xe9.crt", ""]
)
def test_the_name_of_an_uploaded_file_is_not_used_as_a_path(name: str, unchanged: Plant) -> None:
    body, headers = _parts((_part("certificate", name), b"garbage"), (_part("key", name), b"garbage"))
    answer = unchanged.api(SENSOR).post("certificate", content=body, headers=headers)
    assert answer.status_code in (200, 422)
    result = answer.json()
    assert "error" in result or not result["accepted"]
    assert "/etc" not in answer.text
    assert "\x01" not in answer.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from(["name", "passphrase", "key", "certificate", "chain", "crl_check", "other", ""]),
            st.none() | st.text(st.characters(codec="latin-1", exclude_characters='"\r\n'), max_size=20),
            st.binary(max_size=60),
        ),
        max_size=6,
    ),
    cut=st.integers(0, 30),
)
def test_any_form_gets_a_page(parts: list[tuple[str, str | None, bytes]], cut: int, plant: Plant) -> None:
    body, headers = _parts(*((_part(name, file), data) for name, file, data in parts))
    answer = plant.api(SENSOR).post("certificate", content=body[: len(body) - cut], headers=headers)
    assert answer.status_code in (200, 400, 413, 422)
    assert answer.status_code != 200 or not answer.json()["accepted"]


@pytest.mark.parametrize("path", [FORM, "/validation", "/certificate/stay", "/try/crl-server", "/api"])
def test_without_a_session_nothing_is_changed(path: str, unchanged: Plant) -> None:
    answer = unchanged.client(SENSOR).post(path, files=unchanged.files(SENSOR))
    assert answer.status_code == 403
    assert "You are not signed in" in answer.text
    assert not unchanged.lab.crl_server.stopped


def test_an_ended_session_is_invalid(unchanged: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    person = unchanged.person(SENSOR)
    monkeypatch.setattr(
        Session, "ends", property(lambda session: 0.0, lambda session, value: None), raising=False
    )
    assert person.post(FORM, files=unchanged.files("sensor-02")).status_code == 403
    assert person.client.get("/").headers["location"] == "/sign-in"


def test_one_sign_in_opens_every_appliance(unchanged: Plant, person: Person) -> None:
    other = unchanged.client("sensor-02", cookies=person.client.cookies)
    assert other.get("/").status_code == 200
    assert person.csrf in other.get("/certificate").text


def test_signing_out_ends_the_session(unchanged: Plant) -> None:
    person = unchanged.person(SENSOR)
    cookies = dict(person.client.cookies)
    assert person.post("/sign-out").headers["location"] == "/sign-in?signed-out"
    again = unchanged.client(SENSOR, cookies=cookies)
    assert again.post(FORM, data={"csrf": person.csrf}).status_code == 403


@pytest.mark.parametrize("csrf", ["", "wrong", "\udcff"])
def test_a_form_without_the_csrf_token_does_nothing(csrf: str, unchanged: Plant, person: Person) -> None:
    data = {"csrf": csrf.encode("utf-8", "surrogateescape")}
    for path in (FORM, "/validation", "/try/crl-server"):
        answer = person.client.post(path, data=data, files=unchanged.files("sensor-02"))
        assert answer.status_code in (403, 422), path
    for path in ("/validation", "/try/crl-server", "/sign-out", "/certificate/stay"):
        assert person.client.post(path, data=data).status_code == 403, path
    assert not unchanged.lab.crl_server.stopped
    assert person.client.get("/certificate").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://127.0.0.1:1"},
    ],
)
def test_a_form_of_another_site_does_nothing(
    headers: dict[str, str], unchanged: Plant, person: Person
) -> None:
    answer = person.post(FORM, files=unchanged.files("sensor-02"), headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.text
    signing_in = {"user": "admin", "password": unchanged.lab.password}
    answer = unchanged.client(SENSOR).post("/sign-in", data=signing_in, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:8443", "sensor-02.contoso.test", "127.0.0.1.evil.test"]
)
def test_a_request_with_a_foreign_host_name_is_rejected(host: str, unchanged: Plant, person: Person) -> None:
    """As DNS rebinding has it: the name of another site leads here, and all else looks right."""
    headers = {"Host": host, "Origin": f"https://{host}", "Sec-Fetch-Site": "same-origin"}
    answer = person.post(FORM, files=unchanged.files("sensor-02"), headers=headers)
    assert answer.status_code == 421
    data = {"user": "admin", "password": unchanged.lab.password}
    assert unchanged.client(SENSOR).post("/sign-in", data=data, headers=headers).status_code == 421


@pytest.mark.parametrize(
    "host", ["localhost:8443", "127.0.0.1", "[::1]:1", "10.1.0.20", "SENSOR-01.contoso.test", ""]
)
def test_a_console_answers_under_its_names_and_addresses(host: str, plant: Plant) -> None:
    data = {"user": "admin", "password": plant.lab.password}
    name = host or socket.gethostname()
    answer = plant.client(SENSOR).post(
        "/sign-in", data=data, headers={"Host": name, "Origin": f"https://{name}"}
    )
    assert answer.status_code == 303


def _zeros(count: int) -> Iterator[bytes]:
    part = bytes(65536)
    for _ in range(count // len(part)):
        yield part


def _peak() -> int:
    """Return the peak memory of this process, which runs the lab, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/api/external/certificate", FORM, "/sign-in", "/link/alerts"])
def test_a_gigabyte_is_rejected_early(
    path: str, chunked: bool, unchanged: Plant, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory and disk stay what they are, and the sender gets to read the refusal."""
    folder = tempfile.mkdtemp(dir=tempfile.gettempdir())
    monkeypatch.setattr(tempfile, "tempdir", folder)
    tokens = {"/link/alerts": unchanged.lab.secret}
    headers = {"Authorization": tokens.get(path, unchanged.token(SENSOR))}
    head, media = _parts((_part("csrf"), person.csrf.encode()))
    head = head[: head.rindex(b"--" + _BOUNDARY.encode())]
    head += f"--{_BOUNDARY}\r\n{_part('key', 'big.key')}\r\n\r\n".encode()
    if not chunked:
        headers["Content-Length"] = str(len(head) + GIGABYTE)
    sent = 0

    def content() -> Iterator[bytes]:
        nonlocal sent
        yield head
        for part in _zeros(GIGABYTE):
            sent += len(part)
            yield part

    before = _peak()
    answer = person.client.post(path, content=content(), headers={**headers, **media})
    assert answer.status_code == 413
    assert "KiB" in answer.text, "by the appliance itself, in its own words"
    assert sent < GIGABYTE // 8
    assert _peak() - before < 32 * 1024 * 1024
    assert not list(Path(folder).iterdir())
    Path(folder).rmdir()


@pytest.mark.needs("curl")
@pytest.mark.parametrize(
    "more", [(), ("-H", "Expect:"), ("-H", "Expect:", "-H", "Transfer-Encoding: chunked")]
)
@pytest.mark.parametrize("authorized", [True, False])
def test_curl_receives_the_reason_for_rejecting_a_gigabyte(
    authorized: bool, more: tuple[str, ...], unchanged: Plant, tmp_path: Path
) -> None:
    big = tmp_path / "big.key"
    with big.open("wb") as file:
        file.truncate(GIGABYTE)
    token = unchanged.token(SENSOR) if authorized else "none"
    url = f"{unchanged.lab.appliance(SENSOR).url}/api/external/certificate"
    form = ("-H", f"Authorization: {token}", "-F", f"key=@{big}", "-F", f"certificate=@{big}")
    result = tools.run(
        "curl", "-sk", "--max-time", "60", *more, *form, "-w", "\n%{http_code} %{size_upload}", url
    )
    body, _, numbers = result.rpartition("\n")
    status, uploaded = map(int, numbers.split())
    assert status == (413 if authorized else 401)
    assert "error" in body
    assert uploaded < GIGABYTE // 8


def test_an_aborted_upload_leaves_no_trace(unchanged: Plant, capfd: pytest.CaptureFixture[str]) -> None:
    listener = unchanged.lab.appliance(SENSOR).endpoint.listener
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    token = unchanged.token(SENSOR)
    for path, media in (
        ("certificate", f"multipart/form-data; boundary={_BOUNDARY}"),
        ("alerts", "text/json"),
    ):
        with (
            socket.create_connection(("127.0.0.1", listener.port), 10) as plain,
            context.wrap_socket(plain) as connection,
        ):
            head = f"POST /api/external/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
            head += f"Content-Type: {media}\r\nContent-Length: 5000\r\n\r\n--{_BOUNDARY}\r\n"
            connection.sendall(head.encode())
    # Answered after those: whatever became of them has become of them.
    assert unchanged.api(SENSOR).get("validation").status_code == 200
    assert "Traceback" not in capfd.readouterr().err
