"""A user who presses every button of a lab in any order: no state of the lab may answer 500.

``make presses`` is the long form.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from pkigen.lab.web.openapi import OPERATIONS
from tests.lab.conftest import built, document, up

_STEPS_PER_LAB = 100
APPLIANCES = ("sensor-01", "sensor-03", "console", "secondary")
_PAGES = ("/", "/certificate", "/certificate/upload", "/alerts", "/events", "/try", "/api", "/welcome")
_NO_FILE = ("", b"")
_TEXTS = st.sampled_from(
    ["", "x", "Gerät 1", "\0", "\x1b[31m", "<b>&amp;", "%00", "-1", "11", "a" * 201, "siem", "\U0001f600"]
)
_KEYS = ("title", "severity", "message", "mandatory", "id", "\ud800")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=3),
    max_leaves=6,
)


@dataclass
class Field:
    """A control of a form; ``values`` are those that a user can choose, None for text and files."""

    name: str
    kind: str
    values: list[str] | None = None


@dataclass
class Form:
    """A form of a page; ``actions`` are the targets of its buttons."""

    page: str
    target: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self, page: str, html: str) -> None:
        super().__init__()
        self.forms = list[Form]()
        self._page = page
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: Mapping[str, str] = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(self._page, given["action"]))
        elif tag == "button":
            self.forms[-1].buttons.append(given.get("formaction", self.forms[-1].target))
        elif tag == "input" and given.get("type") == "hidden":
            self.forms[-1].fields.append(Field(given["name"], "hidden", [given["value"]]))
        elif tag == "input" and given.get("type") == "checkbox":
            self.forms[-1].fields.append(Field(given["name"], "checkbox", ["on", ""]))
        elif tag == "input":
            self.forms[-1].fields.append(Field(given["name"], given.get("type", "text")))
        elif tag == "select":
            self.forms[-1].fields.append(Field(given["name"], "select", []))
        elif tag == "option" and "value" in given:
            values = self.forms[-1].fields[-1].values
            assert values is not None
            values.append(given["value"])
        elif tag == "option":
            self.forms[-1].fields[-1].values = [str(number) for number in range(11)]


class Buttons(RuleBasedStateMachine):
    """Signed-in users at four appliances of one lab; every response is checked."""

    presses = 0
    profile: dict[str, Any]
    environment: Path
    """A built environment, which each lab copies."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        scratch = Path(self._stack.enter_context(TemporaryDirectory()))
        copy = shutil.copytree(self.environment, scratch / self.environment.name, symlinks=True)
        self._plant = self._stack.enter_context(up(copy, self.profile))
        self._people = {name: self._plant.person(name) for name in APPLIANCES}
        self._apis = {name: self._plant.api(name) for name in APPLIANCES}
        self._earlier = {name: list[Form]() for name in APPLIANCES}
        own = {name: self._plant.files(name) for name in ("sensor-01", "sensor-03", "console")}
        foreign, sealed = self._plant.files("foreign"), self._plant.files("sealed")
        self._files = [*own.values(), foreign, sealed, {"key": foreign["key"], "certificate": foreign["key"]}]

    def teardown(self) -> None:
        self._stack.close()

    @rule(name=st.sampled_from(APPLIANCES), page=st.sampled_from(_PAGES), data=st.data())
    def press(self, name: str, page: str, data: st.DataObject) -> None:
        """Press a button of a page."""
        forms = self._open(name, page)
        if forms:
            self._submit(name, data.draw(st.sampled_from(forms)), data)

    @rule(name=st.sampled_from(APPLIANCES), data=st.data())
    def press_on_an_old_page(self, name: str, data: st.DataObject) -> None:
        """Press a button of a page that was opened earlier, when the lab was in another state."""
        if self._earlier[name]:
            self._submit(name, data.draw(st.sampled_from(self._earlier[name])), data)

    @rule(name=st.sampled_from(APPLIANCES), data=st.data())
    def experiment(self, name: str, data: st.DataObject) -> None:
        """Press a button of the experiments, which change the most."""
        self.press(name, "/try", data)

    @rule(name=st.sampled_from(APPLIANCES), page=st.sampled_from(_PAGES), data=st.data())
    def upload(self, name: str, page: str, data: st.DataObject) -> None:
        """Upload files of the environment, of another CA, or the wrong ones."""
        files = data.draw(st.sampled_from(self._files))
        answer = self._people[name].post("/certificate/upload", {"name": "x"}, files=files)
        self._check(name, answer)
        self._look(name, page)

    @rule(name=st.sampled_from(APPLIANCES))
    def sign_in_again(self, name: str) -> None:
        """Sign out and in."""
        self._check(name, self._people[name].post("/sign-out"))
        self._people[name] = self._plant.person(name)

    @rule(name=st.sampled_from(APPLIANCES), path=st.sampled_from(sorted(OPERATIONS)), body=_JSON)
    def call(self, name: str, path: str, body: Any) -> None:
        """Call an operation of the API with JSON."""
        method = max(OPERATIONS[path]).upper()
        content = json.dumps(body).encode() if method != "GET" else None
        self._check(name, self._apis[name].request(method, path, content=content))
        self._look(name, "/events")

    def _open(self, name: str, page: str) -> list[Form]:
        answer = self._people[name].client.get(page, follow_redirects=True)
        self._check(name, answer)
        forms = _Forms(page, answer.text).forms
        self._earlier[name] = [*self._earlier[name], *forms][-30:]
        return forms

    def _look(self, name: str, page: str) -> None:
        """Open a page that the press could have broken, and the experiments, which show the most state."""
        Buttons.presses += 1
        self._open(name, page)
        self._open(name, "/try")

    def _submit(self, name: str, form: Form, data: st.DataObject) -> None:
        person = self._people[name]
        if form.target == "/sign-out":
            return
        fields, files = dict[str, str](), dict[str, tuple[str, bytes]]()
        pool = data.draw(st.sampled_from(self._files)) if _has_files(form) else {}
        for control in form.fields:
            if control.name == "csrf":
                continue
            if control.kind == "file":
                files[control.name] = pool.get(control.name, _NO_FILE)
            else:
                texts = _TEXTS if control.values is None else st.sampled_from(control.values)
                fields[control.name] = data.draw(texts)
        target = data.draw(st.sampled_from(form.buttons))
        answer = person.post(target, fields, **({"files": files} if files else {}))
        self._check(name, answer)
        self._look(name, data.draw(st.sampled_from(_PAGES)))

    def _check(self, name: str, answer: httpx.Response) -> None:
        where = f"{name}: {answer.request.method} {answer.request.url.path}"
        assert answer.status_code < 500 or answer.status_code == 503, f"{where}: {answer.text[:2000]}"


def _has_files(form: Form) -> bool:
    return any(control.kind == "file" for control in form.fields)


def press(number: int, steps: int = _STEPS_PER_LAB) -> int:
    """Press at least ``number`` buttons, up to ``steps`` in each lab; return the number of presses."""
    Buttons.profile = document()
    Buttons.profile["negatives"] = [{"of": "sensor-03", "faults": ["expired", "key-mismatch", "sig-md5"]}]
    Buttons.presses = 0
    with TemporaryDirectory() as scratch:
        Buttons.environment = built(Buttons.profile, Path(scratch))
        while Buttons.presses < number:
            chosen = settings(
                # The first example is the smallest one, without a press.
                max_examples=2 + (number - Buttons.presses) // steps,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                # Each attempt at a smaller example would start another lab.
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            )
            run_state_machine_as_test(Buttons, settings=chosen)
    return Buttons.presses


if __name__ == "__main__":
    print(f"{press(int(sys.argv[1])):,} presses, and two pages after each: no response 500")
