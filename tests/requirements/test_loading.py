"""Requirement sets in files: every error is reported with its line, and no other exception is raised."""

from __future__ import annotations

import copy
import re
import tempfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pkigen.documents import shipped
from pkigen.errors import InputError
from pkigen.requirements import load_declared, load_set
from pkigen.requirements.demands.key_file import KeyFileDemand
from pkigen.requirements.demands.subject import SubjectAttribute
from pkigen.requirements.schema import json_schema

OWN = """\
name: gateway
title: The gateway on my desk
source: {title: Installation guide, date: 2026-03}
messages:
  old: The certificate is out of date.
requirements:
  - id: key-2048
    demand: {public_key: {minimum: {rsa: 2048}}}
    level: unsupported
    section: "4.1"
    says: The key has at least 2048 bits.
  - id: not-expired
    demand:
      validity:
        not_ended: true
    level: rejected
    section: "4.2"
    says: The certificate has not expired.
    message: old
"""
MISTAKES = [
    ("name: gateway", "nmae: gateway", 1, ["unknown key 'nmae'", "did you mean 'name'", "'name' is missing"]),
    ("name: gateway", "name: My Gateway", 1, ["'My Gateway' is not a valid ID"]),
    ("date: 2026-03", "date: March", 3, ["date"]),
    ("{public_key:", "{public_kye:", 8, ["kind of demand: 'public_kye'", "did you mean 'public_key'"]),
    ("{minimum: {rsa", "{minimun: {rsa", 8, ["unknown key 'minimun'", "did you mean 'minimum'"]),
    ("{rsa: 2048}", "{ras: 2048}", 8, ["'ras'", "did you mean 'rsa'"]),
    ("{rsa: 2048}", "{rsa: many}", 8, ["this is a whole number"]),
    ("{public_key: {minimum: {rsa: 2048}}}", "{public_key: {}}", 8, ["no condition given", "minimum"]),
    ("{public_key: {minimum: {rsa: 2048}}}", "{}", 8, ["a demand is a mapping with one key"]),
    ("{public_key: {minimum: {rsa: 2048}}}", "public_key", 8, ["a demand is a mapping with one key"]),
    ("{rsa: 2048}}}", "{rsa: 2048}}, version: {equals: 3}}", 8, ["a demand is a mapping with one key"]),
    (
        "    demand: {public_key: {minimum: {rsa: 2048}}}\n",
        "",
        7,
        ["exactly one of 'demand', 'any', and 'if' with 'then'"],
    ),
    ("level: unsupported", "level: unsuported", 9, ["'rejected', 'unsupported' or 'advice'"]),
    ("level: rejected", "level: advice", 12, ["only a demand of level 'rejected' has a message"]),
    ("message: old", "message: odl", 19, ["'odl'", "did you mean 'old'"]),
    ("message: old", "together: [{ids: [key-2084], because: x}]", 19, ["'key-2084'", "'key-2048'"]),
    ("message: old", "together: [{ids: [key-2048]}]", 19, ["'because' is missing"]),
    (
        "message: old",
        "together: [{ids: [key-2048], variants: [expird], because: x}]",
        19,
        ["no such variant: 'expird'", "did you mean 'expired'"],
    ),
    (
        "message: old",
        "together: [{ids: [key-2048], because: Without a key, there is none.}]",
        19,
        ["unknown key 'there is none.'", "put texts that contain a comma in quotes"],
    ),
    ("message: old", "of: nobody", 19, ["'certificate', 'authorities', 'issuing-authority' or 'all'"]),
    ("message: old", "when: valdation", 19, ["switch: 'valdation'", "did you mean 'validation'"]),
    ("message: old", "unless: strict", 19, ["no such switch: 'strict'"]),
    ("message: old", "for: server", 19, ["the set has no 'roles'"]),
    ("message: old", "for: [Server]", 19, ["'Server' is not a valid ID"]),
    ("message: old", "from: 2026-13-01", 19, ["'2026-13-01' is not a date such as 2026-03-15"]),
    ("message: old", "from: 20260301", 19, ["'20260301' is not a date"]),
    ("message: old", "from: 2026-03-15\n    until: 2026-03-15", 12, ["'until' must be later than 'from'"]),
    ("message: old", "if: {version: {equals: 3}}", 12, ["'if' and 'then' belong together"]),
    ("    demand: {public_key:", "    any: {public_key:", 8, ["this must be a list"]),
    (
        "    demand: {public_key: {minimum: {rsa: 2048}}}",
        "    any: [{version: {equals: 3}}]",
        8,
        ["at least 2 of"],
    ),
    (
        "    demand: {public_key: {minimum: {rsa: 2048}}}",
        "    any:\n      - {version: {equals: 3}}\n      - {version: {equal: 3}}",
        10,
        ["unknown key 'equal'", "did you mean 'equals'"],
    ),
    ("name: gateway", "name: gateway\nrole: x", 2, ["unknown key 'role'"]),
    ("name: gateway", "name: gateway\nswitches: {strict: maybe}", 2, ["this must be on or off"]),
    ("name: gateway", "name: gateway\nextends: web-sever", 2, ["'web-sever'", "did you mean 'web-server'"]),
    ("name: gateway", "name: gateway\nextends: own.yaml", 2, ["in a circle"]),
    ("name: gateway", "name: gateway\nextends: absent.yaml", 2, ["absent.yaml"]),
    ("name: gateway", "name: gateway\nextends: web-server\nwithout: [no-cas]", 3, ["did you mean 'no-ca'"]),
    ("id: not-expired", "id: key-2048", 12, ["the id 'key-2048' exists already"]),
    ("id: not-expired", "id: key_2048", 12, ["'key_2048' is not a valid ID"]),
    ("        not_ended: true", "        not_ended: perhaps", 15, ["this is true or false"]),
    ("        not_ended: true", "        maximum: long", 15, ["'long' is not a span of time"]),
]


def _own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    return path


def _refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load_set(str(path))
    return caught.value


def test_a_set_is_read_by_its_path(tmp_path: Path) -> None:
    _own(tmp_path, OWN)
    assert load_set("own.yaml", tmp_path).name == "gateway"
    assert [one.kinds[0] for one in load_set(str(tmp_path / "own.yaml")).requirements] == [
        "public_key",
        "validity",
    ]


@pytest.mark.parametrize(("text", "mistake", "line", "words"), MISTAKES)
def test_a_mistake_is_reported_with_its_line_and_a_suggestion(
    text: str, mistake: str, line: int, words: list[str], tmp_path: Path
) -> None:
    assert OWN.count(text) == 1
    path = _own(tmp_path, OWN.replace(text, mistake))
    errors = str(_refused(path))
    assert re.match(rf"{re.escape(str(path))}:{line}:[0-9]+: ", errors), errors
    assert [word for word in words if word not in errors] == [], errors


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    text = OWN.replace("{public_key:", "{public_kye:").replace("not_ended: true", "not_endde: true")
    lines = [problem.location.line for problem in _refused(_own(tmp_path, text)).problems if problem.location]
    assert lines == [8, 15]


PATTERNS = [
    ("{type: CN, pattern: '('}", "'(' is not a supported regular expression"),
    ("{type: CN, pattern: 'a)|(b'}", "'a)|(b' is not a supported regular expression: unopened group"),
    ("{type: CN, pattern: '(?!a).*'}", "look-around, including look-ahead and look-behind, is not supported"),
    ("{type: CN, pattern: '(a)\\1'}", "backreferences are not supported"),
    ("{type: CN, pattern: 'a{1000}{1000}'}", "exceeds size limit"),
    (f"{{type: CN, pattern: {'a' * 1001}}}", "the pattern has 1,001 characters; the limit is 1,000"),
    (f"{{type: CN, pattern: a, counterexample: {'b' * 1025}}}", "at most 1024 characters"),
    ("{type: CN, pattern: '.*', counterexample: x}", "'counterexample' must be a value that does not match"),
    ("{type: CN, pattern: '.*'}", "'counterexample' must be a value that does not match"),
    ("{type: CM}", "no such subject attribute: 'CM'"),
    ("{type: O, unique: true}", "only a CN can be demanded to be unique"),
    ("{required: true}", "'type' is missing"),
]


@pytest.mark.parametrize(("demand", "words"), PATTERNS)
def test_a_contradictory_demand_is_reported_at_its_line(demand: str, words: str, tmp_path: Path) -> None:
    text = OWN.replace("{public_key: {minimum: {rsa: 2048}}}", f"{{subject_attribute: {demand}}}")
    error = _refused(_own(tmp_path, text))
    assert words in str(error)
    assert [problem.location.line for problem in error.problems if problem.location] == [8]


NESTED = [
    ("{san: {exactly: {urii: 1}}}", "no such kind of name: 'urii' (did you mean 'uri'?)"),
    ("{san: {exactly: {uri: -1}}}", "this must be at least 0"),
    ("{san: {exactly: {uri: many}}}", "this is a whole number"),
    ("{san: {exactly: 1}}", "this must be a mapping"),
    ("{san: {only: dns}}", "this must be a list"),
    ("{san: {values: {uri: {pattern: '('}}}}", "'(' is not a supported regular expression"),
    ("{san: {values: {uri: {patern: 'a'}}}}", "unknown key 'patern'"),
    ("{san: {wildcard: none}}", "this must be 'allowed', 'whole-label' or 'forbidden'"),
    ("{san: {critical: maybe}}", "this must be true, false or if-subject-empty"),
    ("{names: {only: [CM]}}", "no such subject attribute: 'CM'"),
    ("{key_usage: {exactly: [signature]}}", "no such key usage: 'signature'"),
    ("{key_usage: {exactly: {rsaa: [cRLSign]}}}", "no such family of keys: 'rsaa' (did you mean 'rsa'?)"),
    ("{key_usage: {exactly: []}}", "there must be at least 1 of these"),
    ("{key_usage: {one_of: [digitalSignature]}}", "this must be a list"),
    ("{extended_key_usage: {one_of: [nothing]}}", "this must be a list"),
    ("{extended_key_usage: {exactly: [serverAuht]}}", "did you mean 'serverAuth'?"),
    ("{extended_key_usage: {exactly: [1.2.x]}}", "no such extended key usage: '1.2.x'"),
]


@pytest.mark.parametrize(("demand", "words"), NESTED)
def test_a_mistake_inside_a_demand_is_reported_at_its_line(demand: str, words: str, tmp_path: Path) -> None:
    error = _refused(_own(tmp_path, OWN.replace("{public_key: {minimum: {rsa: 2048}}}", demand)))
    assert words in str(error)
    assert [problem.location.line for problem in error.problems if problem.location] == [8]


@pytest.mark.parametrize(
    "demand",
    [
        "{san: {exactly: {uri: 1}, values: {uri: {pattern: 'spiffe://[^/]+/.+', counterexample: 'https://a'}}}}",
        "{san: {exactly: {1.3.6.1.5.5.7.8.4: 1}, critical: if-subject-empty}}",
        "{san: {exactly: {1.2.3: 1}, critical: false}}",
        "{names: {subject: empty}}",
        "{extended_key_usage: {exactly: [serverAuth, 1.3.6.1.4.1.311.20.2.2]}}",
        "{extended_key_usage: {one_of: [none, [serverAuth]]}}",
        "{key_usage: {exactly: {rsa: [keyEncipherment], ec: [digitalSignature]}}}",
        "{key_usage: {one_of: [[keyEncipherment], [digitalSignature], none]}}",
    ],
)
def test_a_demand_with_lists_and_mappings_is_loaded_and_has_violations(demand: str, tmp_path: Path) -> None:
    path = _own(tmp_path, OWN.replace("{public_key: {minimum: {rsa: 2048}}}", demand))
    assert list(load_set(str(path)).requirements[0].violations())
    jsonschema.Draft202012Validator(SCHEMA).validate(yaml.load(path.read_text(), yaml.SafeLoader))


@pytest.mark.parametrize("pattern", ["(a+)+", "(a|aa)+", "(a*)*b", "(.*a){30}", "a*a*a*a*a*a*a*a*a*b"])
def test_a_pattern_that_backtracks_in_other_engines_takes_linear_time(pattern: str, tmp_path: Path) -> None:
    longest = "a" * 1023 + "!"
    demand = f"{{subject_attribute: {{type: CN, pattern: '{pattern}', counterexample: '{longest}'}}}}"
    document = _own(tmp_path, OWN.replace("{public_key: {minimum: {rsa: 2048}}}", demand))
    attribute = load_set(str(document)).requirements[0].demand
    assert isinstance(attribute, SubjectAttribute)
    assert attribute.pattern is not None
    assert [attribute.pattern.matches(value) for value in ("a" * 1024, "a" * 1025)] == [
        "b" not in pattern,
        False,
    ]


@pytest.mark.parametrize("characters", ["a]*(a+)+[a", "a](a|aa)+[a"])
def test_passphrase_characters_outside_of_their_class_take_linear_time(
    characters: str, tmp_path: Path
) -> None:
    demand = f"{{key_file: {{passphrase_characters: '{characters}'}}}}"
    document = _own(tmp_path, OWN.replace("{public_key: {minimum: {rsa: 2048}}}", demand))
    key_file = load_set(str(document)).requirements[0].demand
    assert isinstance(key_file, KeyFileDemand)
    assert key_file.passphrase_characters is not None
    assert not key_file.passphrase_characters.matches("a" * 1023 + "!")


@pytest.mark.parametrize("text", ["", "- a\n", "just words\n", "name: x\n  y: z\n", "a: &b [*b]\n", "\x00"])
def test_a_value_that_is_not_a_mapping_is_reported(text: str, tmp_path: Path) -> None:
    assert len(str(_refused(_own(tmp_path, text)))) > 20


def test_a_missing_file_is_reported_by_its_path(tmp_path: Path) -> None:
    errors = str(_refused(tmp_path / "none.yaml"))
    assert str(tmp_path / "none.yaml") in errors
    assert "No such file" in errors


@pytest.mark.parametrize("name", ["defender-iott", "own.json", "own", "", "../defender-iot"])
def test_an_unknown_name_is_an_error_that_explains_set_names(name: str) -> None:
    with pytest.raises(InputError, match="A set of your own is a path that ends in") as caught:
        load_set(name)
    assert ("did you mean 'defender-iot'" in str(caught.value)) is ("defender-iot" in name)


@pytest.mark.parametrize("name", shipped.requirement_sets())
def test_a_shipped_set_is_named_after_its_file(name: str) -> None:
    requirement_set = load_declared(name)
    assert requirement_set.name == name
    assert requirement_set is load_declared(name)
    assert all(one.says.endswith(".") for one in requirement_set.requirements)


SCHEMA = json_schema()


def _document(name: str) -> Any:
    text = (shipped.requirement_set_folder() / f"{name}.yaml").read_text()
    return yaml.load(text, yaml.SafeLoader)


def test_the_json_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", shipped.requirement_sets())
def test_the_json_schema_accepts_the_shipped_sets(name: str) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(_document(name))


@pytest.mark.parametrize(
    "change",
    [
        {"demand": {"public_kye": {}}},
        {"demand": {}},
        {"demand": {"public_key": {"minimun": {"rsa": 1}}}},
        {"level": "fatal"},
        {"surplus": 1},
    ],
)
def test_the_json_schema_rejects_what_loading_rejects(change: dict[str, Any]) -> None:
    document = copy.deepcopy(_document("web-server"))
    document["requirements"][0].update(change)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(document)


_SHIPPED = {
    name: (shipped.requirement_set_folder() / f"{name}.yaml").read_text()
    for name in shipped.requirement_sets()
}
_TOKENS = re.compile(r"[\w.-]+|\s+|.", re.DOTALL)
_INTERESTING = [
    *("{", "}", "[", "]", ":", ": ", ",", "- ", "\n", "\n  ", "'", '"', "#", "&a ", "*a", "!", "|", ">"),
    *("\x00", "\ufeff", "\u2028", "ü", "none", "null", "~", "", "0", "-1", "9" * 30, "true", "1.2.3"),
    *("(", "(?P<", "[a-", "\\", "a" * 2000, "{}", "[]", "demand", "together", "ids", "pattern", "name"),
    *("99999999y", "-2000y", "validity", "maximum", "extension", "public_key", "rejected", "<<: "),
]


def _check(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "own.yaml")
        path.write_bytes(data)
        try:
            requirement_set = load_set(str(path))
        except InputError as error:
            words = str(error).replace(folder, "")
        else:
            # What is taken can be gone through.
            assert all(list(one.violations()) is not None for one in requirement_set.requirements)
            return
    assert all(line.isprintable() for line in words.split("\n")), repr(words)
    for foreign in ("pydantic", "Value error", "Input should", "<class", "object at 0x", "Errno", "NoneType"):
        assert foreign not in words, words


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(_SHIPPED)),
    st.lists(
        st.tuples(
            st.integers(0, 10_000),
            st.integers(0, 2),
            st.one_of(st.sampled_from(_INTERESTING), st.text(max_size=4)),
        ),
        min_size=1,
        max_size=3,
    ),
)
@example("defender-iot-current", [(0, 0, "(")])
def test_sets_with_changed_tokens_load_or_are_reported(name: str, edits: list[tuple[int, int, str]]) -> None:
    tokens = _TOKENS.findall(_SHIPPED[name])
    for position, gone, text in edits:
        position %= len(tokens)
        tokens[position : position + gone] = [text]
    _check("".join(tokens).encode("utf-8", "surrogatepass"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(_SHIPPED)),
    st.lists(
        st.tuples(st.integers(0, 20_000), st.binary(max_size=3), st.integers(0, 9)), min_size=1, max_size=3
    ),
)
def test_sets_with_changed_bytes_load_or_are_reported(name: str, edits: list[tuple[int, bytes, int]]) -> None:
    data = _SHIPPED[name].encode()
    for position, octets, gone in edits:
        position %= len(data)
        data = data[:position] + octets + data[position + gone :]
    _check(data)
