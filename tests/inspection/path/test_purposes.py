"""Key usages of a whole path, beside ``openssl verify -purpose``."""

from __future__ import annotations

import pytest

from tests.inspection.path.certificates import (
    CA,
    Authority,
    Files,
    by_openssl,
    root,
)
from tests.inspection.path.openssl_verdicts import judged

pytestmark = pytest.mark.needs("openssl")


@pytest.mark.parametrize(
    ("extensions", "purposes"),
    [
        ("", "any server client"),
        ("extendedKeyUsage=serverAuth\n", "any server"),
        ("extendedKeyUsage=clientAuth\n", "any client"),
        ("extendedKeyUsage=serverAuth,clientAuth\n", "any server client"),
        ("extendedKeyUsage=anyExtendedKeyUsage\n", "any"),
        ("extendedKeyUsage=codeSigning\n", "any"),
        ("keyUsage=digitalSignature\n", "any server client"),
        ("keyUsage=keyAgreement\n", "any server client"),
        ("keyUsage=keyEncipherment\n", "any server"),
        ("keyUsage=nonRepudiation\n", "any"),
    ],
)
@pytest.mark.parametrize("above", ["", "serverAuth", "clientAuth"])
@pytest.mark.parametrize("where", ["issuer", "root"])
def test_a_purpose_is_checked_against_all_key_usages_of_the_path(
    extensions: str, purposes: str, above: str, where: str, authorities: dict[str, Authority]
) -> None:
    authority = authorities[f"{where}-{above}"]
    name = extensions.strip().replace("=", "-").replace(",", "-") or "bare"
    leaf = authority.folder / f"{name}.crt"
    if not leaf.exists():
        authority.issue(name, extensions or "basicConstraints=CA:FALSE\n")
    top = authorities[f"{where}-{above}-root"] if where == "issuer" else authority
    for purpose in ("any", "server", "client"):
        chain = (authority.certificate,) if where == "issuer" else ()
        files = Files(leaf, chain, (top.certificate,), purpose=purpose)
        result = judged(files)
        allowed = purpose in purposes and (purpose == "any" or above in ("", f"{purpose}Auth"))
        assert (result.ok, not by_openssl(files)) == (allowed, allowed), (purpose, result.problems)
        assert {problem.rule for problem in result.problems} <= {"purpose"}


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Authority]:
    """An issuing CA, and a root, with each extended key usage."""
    folder = tmp_path_factory.mktemp("purposes")
    top = root(folder, "top")
    by_name = dict[str, Authority]()
    for usage in ("", "serverAuth", "clientAuth"):
        extensions = CA + (f"extendedKeyUsage={usage}\n" if usage else "")
        by_name[f"issuer-{usage}"] = top.subordinate(f"issuer-{usage}", extensions)
        by_name[f"issuer-{usage}-root"] = top
        by_name[f"root-{usage}"] = root(folder, f"root-{usage}", extensions)
    return by_name
