"""Whatever is done to a profile file, ``load`` returns or refuses it in words, and soon."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pkigen.errors import InputError, Problem
from pkigen.profile import load
from tests.effort import calls
from tests.profile.test_profile import EXAMPLE

RICH = (
    EXAMPLE
    + """\
  rich:
    issuer: ot-issuing
    subject: {OU: [One, Two], CN: "{{ name | upper }}", 1.2.3.4: x}
    san: {critical: false, names: ["dns:*.a.test", {dirname: {C: US}}, "rid:1.2.3", "upn:a@b", "uri:http://a.test"]}
    key_usage: {critical: true, usages: [digitalSignature]}
    extended_key_usage: [serverAuth, 1.2.3.4]
    policies: [1.2.3, {oid: 1.2.4, cps: ["http://a.test"], notice: text}]
    crl_distribution_points: ["http://a.test/x.crl", {uris: ["http://b.test"], reasons: [keyCompromise]}]
    aia: {ocsp: ["http://a.test/ocsp"], auto: true}
    signature: {digest: sha384, pss: true}
    valid: {from: 2026-01-01T12:00Z, for: 1y6mo}
    passphrase: {file: secret.txt}
    pkcs12: {alias: a, passphrase: b}
    extensions: [{oid: 1.2.3.4, critical: true, der: "0403010203"}]
    must_staple: true
    renew: 30d
  device:
    issuer: ot-issuing
    valid: {from: -1d, to: never}
    san: ["hardware:1.3.6.1.4.1.40732.1.1/SN-1", "ntds:6ba7b810-9dad-11d1-80b4-00c04fd430c8"]
    windows_sid: S-1-5-21-1-2-3-1104
    certificate_template: {oid: 1.3.6.1.4.1.311.21.8.1, major: 100, minor: 4}
    certificate_template_name: DomainController
    modbus_role: Operator
    scts: [log-1, {log: log-2, at: -1h}]
    no_rev_avail: true
"""
)
TABLE = b"host,site\npress,north\noven,south\n"
MAX_CALLS = 1_000_000

_TOKEN = re.compile(r"[\w.-]+|\s+|.", re.DOTALL)
_INTERESTING = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    ",",
    "- ",
    "\n",
    "\n  ",
    "'",
    '"',
    "#",
    "&a ",
    "*a",
    "!",
    "!!int ",
    "|",
    ">",
    "%",
    "@",
    "`",
    "<<: ",
    "{{",
    "}}",
    "{%",
    "%}",
    "{{ name }}",
    "{{ x }}",
    "{{ 'a' * 9999999 }}",
    "{1..3}",
    "{01..99999999}",
    "{a,b}",
    "---\n",
    "...\n",
    "\t",
    "\x00",
    "\x07",
    "\ufeff",
    "\u2028",
    "\x85",
    "\U0001f600",
    "ü",
    "none",
    "self",
    "null",
    "~",
    "",
    "0",
    "-1",
    "999999999999999999999",
    "99999999y",
    "-2000y",
    "9999-12-31T23:59:59-05:00",
    "1.2.3",
    "2.999.1",
    "../..",
    "/",
    "/dev/zero",
    "/dev/stdin",
    ".",
    "CON",
    "a" * 5000,
    '"\\0"',
    '"\\ud800"',
    "http://[",
    "http://a:b@c:99999/",
    "ip:::",
    "dns:",
    "extends: minimal\n",
    "like: rich\n",
    "each: inventory.csv\n",
    "issuer: root\n",
    "faults: []\n",
    "from: {certificate: inventory.csv}\n",
]
_BYTES = [
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x80",
    b"\r",
    b"\r\n",
    b"\xe2\x80\xa8",
]


def _check(profile: bytes, table: bytes = TABLE) -> None:
    """Load a profile; everything but an InputError with words for people is a failure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "test.yaml")
        path.write_bytes(profile)
        Path(folder, "inventory.csv").write_bytes(table)
        Path(folder, "secret.txt").write_bytes(b"secret\n")
        problems: tuple[Problem, ...] = ()

        def look() -> None:
            nonlocal problems
            problems = _problems(path)

        assert calls(look) < MAX_CALLS
        for problem in problems:
            _check_words(str(problem), folder)


def _problems(path: Path) -> tuple[Problem, ...]:
    """What ``load`` says of a profile; nothing when it takes it, and all of it can be gone through."""
    try:
        loaded = load(path)
    except InputError as error:
        return error.problems or (Problem(""),)
    assert sum(1 for _ in loaded.certificates()) == loaded.count
    return ()


def _check_words(text: str, folder: str) -> None:
    words = text.replace(folder, "")
    assert 10 <= len(words) <= 2000, words
    assert words.isprintable(), repr(words)
    for foreign in (
        "Traceback",
        "pydantic",
        "Value error",
        "Input should",
        "<class",
        "object at 0x",
        "Errno",
        "NoneType",
        "secret\n",
    ):
        assert foreign not in words, words
    words.encode()


def _edits(tokens: list[str]) -> st.SearchStrategy[list[tuple[str, int, str]]]:
    kinds = st.sampled_from(["replace", "insert", "delete", "copy", "swap"])
    positions = st.integers(0, len(tokens) - 1)
    texts = st.one_of(st.sampled_from(_INTERESTING), st.sampled_from(tokens), st.text(max_size=5))
    return st.lists(st.tuples(kinds, positions, texts), min_size=1, max_size=4)


_TOKENS = _TOKEN.findall(RICH)


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(_edits(_TOKENS))
@example([("replace", 4, '"\\0"')])
def test_profiles_with_changed_tokens(edits: list[tuple[str, int, str]]) -> None:
    tokens = list(_TOKENS)
    for kind, position, text in edits:
        position %= len(tokens)
        if kind == "replace":
            tokens[position] = text
        elif kind == "insert":
            tokens.insert(position, text)
        elif kind == "delete":
            del tokens[position : position + 1 + len(text)]
        elif kind == "copy":
            tokens[position:position] = tokens[max(0, position - 40) : position]
        else:
            tokens[position], tokens[position - 1] = tokens[position - 1], tokens[position]
        tokens = tokens or [text]
    _check("".join(tokens).encode("utf-8", "surrogatepass"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(RICH)),
            st.one_of(st.sampled_from(_BYTES), st.binary(max_size=3)),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_profiles_with_changed_bytes(edits: list[tuple[int, bytes, int]]) -> None:
    data = RICH.encode()
    for position, replacement, gone in edits:
        data = data[:position] + replacement + data[position + gone :]
    _check(data)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(TABLE)),
            st.one_of(st.sampled_from([*_BYTES, b'"', b",", b"\n", b";"]), st.binary(max_size=3)),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_tables_with_changed_bytes(edits: list[tuple[int, bytes, int]]) -> None:
    table = TABLE
    for position, replacement, gone in edits:
        table = table[:position] + replacement + table[position + gone :]
    _check(RICH.encode(), table)


def test_the_profile_that_is_mutated_is_valid() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "test.yaml")
        path.write_text(RICH)
        Path(folder, "inventory.csv").write_bytes(TABLE)
        Path(folder, "secret.txt").write_bytes(b"secret\n")
        assert load(path).count == 26
