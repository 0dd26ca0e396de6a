"""screenshots.py [DIRECTORY]: the README's two pictures of the lab's console, out of the demo profile.

Writes lab-overview.png and lab-upload.png into DIRECTORY (default: docs). Needs Chromium, and besides the
development tools Pillow, which makes the pictures small:

    .venv/bin/python -m pip install pillow
    .venv/bin/python scripts/screenshots.py
"""

from __future__ import annotations

import io
import shutil
import socket
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from pkigen.environment.build.build import build
from pkigen.lab.connections.connection import ConnectionState
from pkigen.lab.lab import Lab
from pkigen.lab.startup import running_lab
from pkigen.lab.web import web
from pkigen.profile import load

_SECONDS = 20.0
_WIDTH, _HEIGHT = 1280, 900
_COLOURS = 255


def main(folder: Path) -> None:
    """Bring up a lab, break it, and look at it."""
    folder = folder.resolve()
    # Pages show where files are: nobody needs to see where it was on this machine.
    with tempfile.TemporaryDirectory() as scratch, chdir(scratch), socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        source = Path("demo.yaml")
        source.write_text(f"extends: demo\nbase_url: http://127.0.0.1:{port}\n", "utf-8")
        profile = load(source)
        result = build(profile, Path("out"))
        with running_lab(result.folder, profile, web) as lab, sync_playwright() as driver:
            browser = driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-sync"]
            )
            context = browser.new_context(
                ignore_https_errors=True, viewport={"width": _WIDTH, "height": _HEIGHT}
            )
            _overview(lab, context.new_page(), folder / "lab-overview.png")
            _upload(lab, context.new_page(), folder / "lab-upload.png")
            browser.close()


def _overview(lab: Lab, page: Page, path: Path) -> None:
    """A revoked sensor, its connection chosen."""
    lab.upload_case("sensor-03", "sensor-03")
    lab.revoke("sensor-02")
    bad = lab.connection("sensor-02:management-console")
    expected = {
        connection.id: ConnectionState.HALTED if connection is bad else ConnectionState.CONNECTED
        for connection in lab.connections
    }
    lab.scheduler.wait_until(
        lambda: {connection.id: connection.report.state for connection in lab.connections} == expected,
        _SECONDS,
    )
    _open(lab, page, f"/?link={bad.id}")
    _keep(page, path)


def _upload(lab: Lab, page: Page, path: Path) -> None:
    """An expired certificate, refused."""
    _open(lab, page, "/try")
    page.get_by_role("button", name="Upload sensor-03.not-after-future-expired").click()
    page.get_by_role("alert").wait_for()
    _keep(page, path)


def _open(lab: Lab, page: Page, path: str) -> None:
    page.goto(lab.console.url)
    if "/sign-in" in page.url:
        page.get_by_label("Password").fill(lab.password)
        page.get_by_role("button", name="Sign in").click()
    page.goto(lab.console.url + path)


def _keep(page: Page, path: Path) -> None:
    """The whole page in as many colors as a palette has."""
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    few = picture.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, "PNG", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "docs")
