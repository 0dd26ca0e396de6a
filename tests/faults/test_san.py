"""Alternative names as openssl reads them."""

from __future__ import annotations

import pytest

from pkigen.environment.environment import Environment
from tests.faults.judging import case_of, extension_text, openssl_says


@pytest.mark.needs("openssl")
def test_a_wildcard_below_a_top_level_domain_matches_the_host(catalogue: Environment) -> None:
    (host,) = case_of(catalogue, "san-wildcard-tld")["hosts"]
    assert extension_text(catalogue, "san-wildcard-tld", "subjectAltName")[1:] == ["DNS:*.test"]
    assert host.endswith(".test")
    assert host.count(".") == 1
    assert "hostname mismatch" in openssl_says(catalogue, "san-wildcard-tld")
