"""The image, compose.yaml and the health check, as far as they run without a container engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from tests import dockerfile, pages
from tests.tools import ROOT, python

_, FINAL = dockerfile.stages()
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_bytes())["services"]


def _command(service: str, **ports: int) -> list[str]:
    """Return the command of a service for this machine: with other ports, and not for other machines."""
    words = [word.replace("${PKIGEN_PROFILE:-minimal}", "minimal") for word in SERVICES[service]["command"]]
    local = {"0.0.0.0": "127.0.0.1", "8080": str(ports.get("http", 0)), "8443": str(ports.get("tls", 0))}  # noqa: S104
    return [local.get(word, word) for word in words]


def _is_healthy(port: int) -> bool:
    """Return the result of the image's health check."""
    kind, words = dict(FINAL)["HEALTHCHECK"].split(" CMD ", 1)
    assert "--interval" in kind
    program, *arguments = json.loads(words)
    assert program == "python"
    environ = {**os.environ, "HEALTH_PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, *arguments], env=environ, capture_output=True, check=False)
    return done.returncode == 0


def test_compose_is_valid() -> None:
    python("-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml")


def test_compose_builds_a_profile_and_serves_it_with_a_health_check(tmp_path: Path) -> None:
    port = pages.free_port()
    assert not _is_healthy(port)
    python("-m", "pkigen", *_command("build"), cwd=tmp_path, environ={"PYTHONPATH": str(ROOT)})
    command = [sys.executable, "-m", "pkigen", *_command("serve", http=port)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().decode().strip().endswith(str(port))
            assert _is_healthy(port)
        finally:
            process.terminate()
    deadline = time.monotonic() + 60
    while _is_healthy(port):
        assert time.monotonic() < deadline


def test_compose_writes_only_where_the_image_allows_it() -> None:
    for service in SERVICES.values():
        assert service["volumes"] == [f"pki:{dict(FINAL)['WORKDIR']}"]
        assert service["read_only"]
    assert all(entry.startswith("127.0.0.1:") for entry in SERVICES["serve"]["ports"])


def test_the_forms_for_issues_are_valid() -> None:
    folder = ROOT / ".github" / "ISSUE_TEMPLATE"
    for path in sorted(folder.glob("*.yml")):
        schema = "vendor.github-issue-config" if path.stem == "config" else "vendor.github-issue-forms"
        python("-m", "check_jsonschema", "--builtin-schema", schema, path)
