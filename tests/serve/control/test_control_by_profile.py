"""Service faults of a profile: built, recorded in the manifest, served, and rejected with a location."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from pkigen import build
from pkigen.environment.environment import open_environment
from pkigen.environment.manifest.schema import Manifest
from pkigen.environment.revoke import revoke
from pkigen.errors import InputError
from pkigen.profile import load
from pkigen.serve import serve, serve_controlled
from tests.serve.controlled_profile import PROFILE
from tests.tools import ROOT


def _profile(*serving: Any) -> dict[str, Any]:
    return {**PROFILE, "negatives": [], "serving": list(serving)}


def test_faults_of_the_profile_are_active_without_configuration(tmp_path: Path) -> None:
    environment = build(
        _profile(
            {"of": "issuing", "fault": "crl-http-500"},
            {"of": "other", "fault": {"crl-stale": {"by": "3d"}}},
            {"of": "issuing", "fault": "ocsp-html"},
        ),
        tmp_path,
    )
    Manifest.model_validate(environment.manifest)
    base = "http://pki.test/lab"
    assert environment.manifest["serving"] == [
        {"of": "issuing", "url": f"{base}/crl/issuing.crl", "fault": "crl-http-500", "arguments": {}},
        {"of": "other", "url": f"{base}/crl/other.crl", "fault": "crl-stale", "arguments": {"by": "3d"}},
        {"of": "issuing", "url": f"{base}/ocsp", "fault": "ocsp-html", "arguments": {}},
    ]
    with serve(environment.folder) as url:
        assert httpx.get(f"{url}/lab/crl/issuing.crl").status_code == 500
        stale = httpx.get(f"{url}/crl/other.crl")
        assert stale.content != (environment.www / "crl/other.crl").read_bytes()
        assert stale.headers["Cache-Control"] == "no-store"
        assert httpx.get(f"{url}/crl/root.crl").status_code == 200


def test_a_fault_set_at_run_time_takes_precedence_over_the_profile(tmp_path: Path) -> None:
    environment = build(_profile({"of": "issuing", "fault": "crl-http-500"}), tmp_path)
    with serve_controlled(environment.folder) as stub:
        stub.fault(of="issuing", id="crl-http-404")
        assert httpx.get(f"{stub.url}/crl/issuing.crl").status_code == 404
        stub.clear()
        assert httpx.get(f"{stub.url}/crl/issuing.crl").status_code == 500


def test_a_build_while_serving_changes_it_and_a_revocation_does_not(tmp_path: Path) -> None:
    folder = build(_profile(), tmp_path).folder
    with serve(folder) as url:
        assert httpx.get(f"{url}/crl/issuing.crl").status_code == 200
        build(_profile({"of": "issuing", "fault": "crl-http-500"}), tmp_path)
        assert httpx.get(f"{url}/crl/issuing.crl").status_code == 500
        revoke(folder, ["sensor"])
        assert len(open_environment(folder).manifest["serving"]) == 1
        assert httpx.get(f"{url}/crl/issuing.crl").status_code == 500
        build(_profile(), tmp_path)
        assert httpx.get(f"{url}/crl/issuing.crl").status_code == 200


_DOCUMENT = """\
name: wrong
authorities:
  root:
    key: ec-p256
  issuing:
    issuer: root
    key: ec-p256
    passphrase: a secret of this test
certificates:
  sensor:
    issuer: issuing
    key: ec-p256
serving:
  - of: {of}
    fault: {fault}
"""


@pytest.mark.parametrize(
    ("of", "fault", "place", "words"),
    [
        ("isuing", "crl-http-500", "14:9", "no authority is called 'isuing' (did you mean 'issuing'?)"),
        ("root", "crl-http-50", "15:12", "did you mean 'crl-http-500'"),
        ("root", "expired", "15:12", "'expired' is about a certificate"),
        ("root", "tls-no-certificate", "15:12", "'tls-no-certificate' is about a certificate"),
        ("root", "cdp-unreachable", "15:12", "is a fault of the whole server"),
        ("root", "crl/*", "15:12", "faults; specify exactly one"),
        ("root", "crl-md5", "15:12", "another kind of key"),
        ("issuing", "crl-stale", "14:9", "its key is under a passphrase"),
        ("root", "{{crl-stale: {{by: soon}}}}", "15", "the parameter 'by' of 'crl-stale'"),
    ],
)
def test_a_fault_that_cannot_be_served_is_an_error_at_its_line(
    of: str, fault: str, place: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        _DOCUMENT.replace("{of}", of).replace("{fault}", fault.replace("{{", "{").replace("}}", "}"))
    )
    with pytest.raises(InputError) as refused:
        build(path, tmp_path)
    assert f"{path.name}:{place}" in str(refused.value)
    assert words in str(refused.value)


def test_the_page_has_a_profile_that_builds(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "serving.md").read_text("utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    path = tmp_path / "shown.yaml"
    named = _DOCUMENT.replace("  issuing:", "  ot-issuing:").replace("issuer: issuing", "issuer: ot-issuing")
    open_key = named.replace("    passphrase: a secret of this test\n", "")
    path.write_text(open_key.partition("serving:")[0] + example)
    assert len(build(path, tmp_path).manifest["serving"]) == 3


def test_an_authority_can_have_one_fault_of_a_kind(tmp_path: Path) -> None:
    twice = _profile({"of": "issuing", "fault": "crl-http-500"}, {"of": "issuing", "fault": "crl-stale"})
    with pytest.raises(InputError) as refused:
        build(twice, tmp_path)
    assert "serving.1: 'issuing' has a fault of this kind already" in str(refused.value)


def test_an_unknown_key_is_rejected() -> None:
    with pytest.raises(InputError) as refused:
        load(_profile({"of": "issuing", "id": "crl-http-500"}))
    assert "serving.0" in str(refused.value)
