"""A real Chromium in front of a lab of the demo profile; pages are watched, and looked at."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pkigen.environment.build.build import build
from pkigen.environment.environment import open_environment
from pkigen.lab.appliance.appliance import Appliance
from pkigen.lab.lab import Lab
from pkigen.lab.startup import running_lab
from pkigen.lab.web import web
from pkigen.profile import Profile, load
from tests.tools import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

SECONDS = 10.0
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_LOOKING = (Path(__file__).parent / "looking.js").read_text("utf-8")
# Themes differ in colors, widths in layout: two show both.
TWO_SHAPES = (("light", 1280), ("dark", 390))
EVERY_SHAPE = (*TWO_SHAPES, ("dark", 1280), ("light", 390))
_SCREENSHOTS = Path(os.environ.get("PKIGEN_SCREENSHOTS") or ROOT / "artifacts" / "screenshots")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a file: its driver's event loop would be in the way of tests in other files."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)
        yield launched
        launched.close()


@dataclass(frozen=True)
class Built:
    """A built environment, which nobody changes, and its profile."""

    folder: Path
    profile: Profile

    def raised(self, stack: ExitStack, parent: Path) -> Lab:
        """A lab around a copy of it."""
        folder = shutil.copytree(self.folder, parent / self.folder.name)
        return stack.enter_context(running_lab(folder, self.profile, web))


def built_with(folder: Path, more: str = "") -> Built:
    """The demo profile with some lines more, on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    source = folder / "demo.yaml"
    source.write_text(f"extends: demo\nbase_url: http://127.0.0.1:{port}\n{more}", "utf-8")
    profile = load(source)
    return Built(build(profile, folder / "out").folder, profile)


@pytest.fixture(scope="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Built once; each module has a copy."""
    return built_with(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def lab(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Up as long as a module's tests run."""
    with ExitStack() as stack:
        yield built.raised(stack, tmp_path_factory.mktemp("lab"))


@dataclass
class Person:
    """Somebody in front of a browser, who notices what a page should not do."""

    page: Page
    lab: Lab
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note errors of scripts and styles, and requests to others than the lab."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium reports the status of every page that says no as an error.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.wrong.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith(("https://127.0.0.1:", "data:")):
            self.wrong.append(f"a request to {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self.wrong.append(f"{response.url}: {response.status}")

    def goes(self, name: str, path: str = "/") -> None:
        """Open a page of an appliance, signing in when it asks for that."""
        url = self.lab.appliance(name).url
        self.page.goto(url + path)
        if self.page.url.startswith(f"{url}/sign-in"):
            self.signs_in()
            if path != "/":
                self.page.goto(url + path)

    def signs_in(self) -> None:
        """Fill in the form that is shown."""
        self.page.get_by_label("Password").fill(self.lab.password)
        self.page.get_by_role("button", name="Sign in").click()

    def uploads(self, case: str, *, crl_check: bool = True) -> None:
        """Fill in the upload dialog that is shown, with a certificate of the environment, and send it."""
        entity = open_environment(self.lab.folder)[case]
        page = self.page
        page.get_by_label("Certificate name").fill(case)
        page.get_by_label("Private key").set_input_files(entity.key)
        page.get_by_label("Certificate (CRT file)").set_input_files(entity.certificate)
        if "chain" in entity.data["files"]:
            page.get_by_label("Certificate chain").set_input_files(entity.chain)
        if "passphrase" in entity.data["files"]:
            page.get_by_label("Passphrase").fill(entity.file("passphrase").read_text("utf-8").strip())
        page.get_by_label("Check the CRL").set_checked(crl_check)
        page.get_by_role("button", name="Upload").click()

    def looks(self, name: str, shapes: Sequence[tuple[str, int]] = TWO_SHAPES) -> None:
        """Fail for what is wrong with the looks of a page in one of its shapes, and keep a picture of that.

        With PKIGEN_SCREENSHOTS=DIRECTORY, keep a picture of every page in each shape.
        """
        problems = dict[str, list[str]]()
        for theme, width in shapes:
            self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            self.page.set_viewport_size({"width": width, "height": 900})
            if faults := self.page.evaluate(_LOOKING):
                problems[f"{theme} {width}"] = faults
            if faults or "PKIGEN_SCREENSHOTS" in os.environ:
                self.page.screenshot(path=_SCREENSHOTS / f"{name}-{theme}-{width}.png", full_page=True)
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": 1280, "height": 900})
        assert not problems, problems


NewPerson = Callable[..., Person]


@pytest.fixture
def people(browser: Browser, lab: Lab) -> Iterator[NewPerson]:
    """Makes persons, each with cookies of their own."""
    there_are = list[Person]()
    with ExitStack() as stack:

        def cancel(*, scripts: bool = True, to: Lab = lab) -> Person:
            context = browser.new_context(
                ignore_https_errors=True,
                java_script_enabled=scripts,
                viewport={"width": 1280, "height": 900},
            )
            stack.callback(context.close)
            context.set_default_timeout(SECONDS * 1000)
            person = Person(context.new_page(), to)
            person.watch()
            there_are.append(person)
            return person

        yield cancel
    assert [words for person in there_are for words in person.wrong] == []


@pytest.fixture
def person(people: NewPerson) -> Person:
    """One of them."""
    return people()


def presented(appliance: Appliance) -> str:
    """The SHA-256 of the certificate that a TLS client is shown, in hex."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    listener = appliance.endpoint.listener
    with (
        socket.create_connection((listener.host, listener.port), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=appliance.host) as secured,
    ):
        return hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()


def fingerprint(lab: Lab, case: str) -> str:
    """The SHA-256 of a certificate of the environment, in hex."""
    return str(open_environment(lab.folder)[case].data["sha256"])


def settle(lab: Lab, holds: Callable[[], bool]) -> None:
    """Wait until something holds of a lab's connections."""
    assert lab.scheduler.wait_until(holds, SECONDS), {
        connection.id: connection.report for connection in lab.connections
    }
