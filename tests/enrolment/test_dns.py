"""The DNS server for TXT records and its client: messages on the wire (RFC 1035), and wrong responses."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkigen.enrolment.dns import TxtRecords, dns_server, query_txt, respond
from pkigen.enrolment.state import State
from pkigen.errors import EnvironmentFailure, InputError

_NAME = b"\x0f_acme-challenge\x01a\x04test\x00"
_RECORDS = {"_acme-challenge.a.test": ["first", "x" * 600]}


def _query(kind: int = 16, group: int = 1, name: bytes = _NAME, flags: int = 0x0100, count: int = 1) -> bytes:
    return struct.pack("!6H", 7, flags, count, 0, 0, 0) + name + struct.pack("!2H", kind, group)


def _response(data: bytes) -> tuple[int, int, int]:
    """Return the flags, the error code and the number of answers; the message ID is that of the query."""
    response = respond(data, lambda name: _RECORDS.get(name, []))
    assert response is not None
    message_id, flags, _, answers, *_ = struct.unpack_from("!6H", response)
    assert message_id == 7
    return flags & 0xFFF0, flags & 0xF, answers


@pytest.mark.parametrize(
    ("query", "flags", "code", "answers"),
    [
        (_query(), 0x8500, 0, 2),
        (_query(flags=0), 0x8400, 0, 2),
        (_query(name=_NAME.upper()), 0x8500, 0, 2),
        (_query(kind=255), 0x8500, 0, 2),
        (_query(group=255), 0x8500, 0, 2),
        (_query(kind=1), 0x8500, 0, 0),
        (_query(kind=6), 0x8500, 0, 1),
        (_query(name=b"\x01b\x00"), 0x8500, 3, 0),
        (_query(kind=6, name=b"\x01b\x00"), 0x8500, 0, 1),
        (_query(group=3), 0x8500, 4, 0),
        (_query(flags=0x0900), 0x8D00, 4, 0),
        (_query(count=2), 0x8500, 1, 0),
        (_query()[:-1], 0x8500, 1, 0),
        (_query(name=b"\x40" + b"a" * 64 + b"\x00"), 0x8500, 1, 0),
        (_query(name=b"\xc0\x0c"), 0x8500, 1, 0),
    ],
)
def test_a_query_has_the_answers_and_the_code_of_the_rfc(
    query: bytes, flags: int, code: int, answers: int
) -> None:
    assert _response(query) == (flags, code, answers)


def test_responses_and_fragments_get_no_response() -> None:
    assert respond(_query(flags=0x8000), lambda _: ["x"]) is None
    assert respond(_query()[:11], lambda _: ["x"]) is None


@settings(max_examples=20)
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=300), min_size=1, max_size=4))
def test_the_client_reads_the_records_that_the_server_has(texts: list[str]) -> None:
    with dns_server(lambda name: texts if name == "a.test" else []) as port:
        assert query_txt(f"127.0.0.1:{port}", "A.test.", 5) == texts
        assert query_txt(f"127.0.0.1:{port}", "b.test", 5) == []


Answer = Callable[[bytes], list[bytes]]


@contextmanager
def _server(answer: Answer) -> Iterator[str]:
    """Run a server that sends some datagrams in response to each query."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while data := server.recvfrom(4096):
                if not data[0]:
                    return
                for response in answer(data[0]):
                    server.sendto(response, data[1])

        thread = Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.sendto(b"", server.getsockname())
            thread.join(2)


def _head(
    query: bytes, *, flags: int = 0x8180, questions: int = 1, answers: int = 0, moved: int = 0
) -> bytes:
    (message_id,) = struct.unpack_from("!H", query)
    return struct.pack("!6H", (message_id + moved) % 65536, flags, questions, answers, 0, 0)


def _record(text: bytes, kind: int = 16) -> bytes:
    return b"\xc0\x0c" + struct.pack("!2HIH", kind, 1, 60, len(text)) + text


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (lambda query: [_head(query, answers=1) + query[12:] + _record(b"\x02ok")], ["ok"]),
        (lambda query: [_head(query, answers=1) + query[12:] + _record(b"\x02ok\x00\x01!")], ["ok!"]),
        (
            lambda query: [
                _head(query, answers=3) + query[12:] + _record(b"\x00", 5) + 2 * _record(b"\x02ok")
            ],
            ["ok", "ok"],
        ),
        (lambda query: [_head(query, answers=1, questions=0) + b"\x01a\x00" + _record(b"\x02ok")[2:]], None),
        (
            lambda query: [
                _head(query, answers=1, moved=1) + query[12:] + _record(b"\x03bad"),
                _head(query, answers=1) + query[12:].upper() + _record(b"\x02ok"),
            ],
            ["ok"],
        ),
        (lambda query: [_head(query, flags=0x8183)], []),
        (lambda query: [_head(query, flags=0x8182)], None),
        (lambda query: [_head(query, flags=0x0180, answers=1) + query[12:] + _record(b"\x02ok")], None),
        (lambda query: [_head(query, answers=1) + b"\x01b\x00\x00\x10\x00\x01" + _record(b"\x02ok")], None),
        (lambda query: [_head(query, answers=2) + query[12:] + _record(b"\x02ok")], None),
        (lambda query: [query[:2]], None),
    ],
)
def test_a_wrong_response_is_not_used(answer: Answer, texts: list[str] | None) -> None:
    with _server(answer) as address:
        if texts is None:
            with pytest.raises(ValueError, match=r"response|error code|name is truncated"):
                query_txt(address, "a.test", 5)
        else:
            assert query_txt(address, "a.test", 5) == texts


def test_a_query_is_repeated_once_and_then_given_up() -> None:
    queries = list[bytes]()

    def second(query: bytes) -> list[bytes]:
        queries.append(query)
        return [_head(query, answers=1) + query[12:] + _record(b"\x02ok")] if len(queries) == 2 else []

    with _server(second) as address:
        assert query_txt(address, "a.test", 2) == ["ok"]
        with pytest.raises(TimeoutError):
            query_txt(address, "a.test", 0.2)
    assert len(queries) == 4


@pytest.mark.parametrize("address", ["", "127.0.0.1", ":53", "127.0.0.1:dns", "127.0.0.1:\u0665"])
def test_an_address_without_a_port_is_an_input_error(address: str) -> None:
    with pytest.raises(InputError, match="is not HOST:PORT of a DNS server"):
        query_txt(address, "a.test", 1)


@pytest.mark.parametrize("name", ["a..test", f"{'a' * 64}.test", ".".join(["a" * 60] * 5)])
def test_a_name_that_dns_cannot_express_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="is not a DNS name"):
        query_txt("127.0.0.1:53", name, 1)


def test_a_port_in_use_is_reported() -> None:
    with (
        dns_server(lambda _: []) as port,
        pytest.raises(EnvironmentFailure, match=f"cannot listen on 127.0.0.1 UDP port {port}: "),
        dns_server(lambda _: [], port=port),
    ):
        pass


def test_records_are_added_once_limited_and_deleted(tmp_path: Path) -> None:
    state = State(tmp_path)
    records = TxtRecords(state)
    for value in ("b", "a", "b"):
        records.add("a.test", value)
    assert (records.get("a.test"), records.get("b.test")) == (["b", "a"], [])
    for number in range(18):
        records.add("a.test", f"{number}")
    with pytest.raises(InputError, match="up to 20 TXT records"):
        records.add("a.test", "one more")
    for value in ("", "x" * 1001):
        with pytest.raises(InputError, match="must have 1 to 1000 characters"):
            records.add("b.test", value)
    records.add("b.test", "x" * 1000)
    records.clear("a.test")
    assert records.get("a.test") == []
    state.close()
