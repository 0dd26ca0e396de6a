"""Envoy's configuration against the messages of its API: the program itself is in no package index here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.export.conftest import PASSPHRASE, Export

_CHECK = """
import json, sys
from envoy_data_plane.envoy.config.bootstrap.v3 import Bootstrap
import envoy_data_plane.envoy.extensions.filters.http.router.v3
import envoy_data_plane.envoy.extensions.filters.listener.tls_inspector.v3
import envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3
import envoy_data_plane.envoy.extensions.transport_sockets.tls.v3
for number, document in enumerate(json.load(sys.stdin)):
    try:
        Bootstrap.from_dict(document)
        print("accepted")
    except (KeyError, TypeError, ValueError) as error:
        print(error)
"""
"""In a process of its own: those modules warn, and take seconds to import."""


def _check(*documents: Any) -> list[str]:
    command = [sys.executable, "-W", "ignore", "-c", _CHECK]
    text = json.dumps(documents)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture
def folder(exported: Export) -> Path:
    return exported("envoy", passphrases=(PASSPHRASE,)).folder


def _document(folder: Path) -> Any:
    return yaml.safe_load((folder / "envoy.yaml").read_text())


def test_every_field_is_part_of_envoys_api(folder: Path) -> None:
    wrong = _document(folder)
    (chain, *_) = wrong["static_resources"]["listeners"][1]["filter_chains"]
    chain["transport_socket"]["typed_config"]["common_tls_context"]["tls_certificate"] = []
    accepted, refused = _check(_document(folder), wrong)
    assert accepted == "accepted"
    assert "Unknown field 'tls_certificate'" in refused


def test_each_name_requires_a_client_certificate_that_is_not_revoked(exported: Export) -> None:
    folder = exported("envoy", client_auth=True).folder
    document = _document(folder)
    assert _check(document) == ["accepted"]
    listener = document["static_resources"]["listeners"][1]
    for chain in (*listener["filter_chains"], listener["default_filter_chain"]):
        settings = chain["transport_socket"]["typed_config"]
        files = settings["common_tls_context"]["validation_context"]
        assert settings["require_client_certificate"]
        assert {name: (folder / one["filename"]).is_file() for name, one in files.items()} == {
            "trusted_ca": True,
            "crl": True,
        }


def test_every_named_file_exists(folder: Path) -> None:
    named = set[str]()

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            named.update([value["filename"]] if "filename" in value else [])
            value = list(value.values())
        for one in value if isinstance(value, list) else ():
            collect(one)

    collect(_document(folder))
    assert {"certs/sensor.pem", "private/sensor.key", "www/lab/crl/issuing.crl"} <= named
    assert all((folder / name).is_file() for name in named)


def test_each_name_leads_to_its_certificate(folder: Path) -> None:
    listener = _document(folder)["static_resources"]["listeners"][1]
    chains = {one["name"]: one["filter_chain_match"]["server_names"] for one in listener["filter_chains"]}
    assert chains["sensor"] == ["sensor.contoso.test", "also.contoso.test", "sensor"]
    assert chains["edge"] == ["*.edge.contoso.test", "edge"]
    assert chains["twin"] == ["twin"]  # its host is the sensor's already
    every = [name for names in chains.values() for name in names]
    assert len(every) == len(set(every))
    assert "server_names" not in json.dumps(listener["default_filter_chain"])


def test_keys_that_envoy_does_not_support_are_omitted(exported: Export) -> None:
    assert "sensor.key-mismatch" in exported("envoy").left_out
