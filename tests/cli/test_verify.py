"""``pkigen verify``: text output, JSON output and exit code."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.environment.profiles import build_it, small
from tests.inspection.path.certificates import (
    CA,
    SERVER,
    Authority,
    root,
)
from tests.inspection.path.http_site import Site, running
from tests.tools import run

AT = ("--at", "2026-06-01T12:00Z")
NOTE = "the self-signed certificates among the files are trusted"
EMPTY_P12 = bytes.fromhex("30160201033011 06092a864886f70d010701a00404023000")
EC_PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
needs_openssl = pytest.mark.needs("openssl")


@dataclass(frozen=True)
class World:
    """A CA whose certificates contain URLs of a site; its files are in the current directory."""

    site: Site
    root: Authority
    issuing: Authority
    published: dict[str, bytes] = field(default_factory=dict)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with running() as site:
        top = root(folder, "root")
        issuing = top.subordinate("issuing", f"{CA}crlDistributionPoints=URI:{site.url}/root.crl\n")
        at_issuing = f"{SERVER}crlDistributionPoints=URI:{site.url}/issuing.crl\n"
        issuing.issue("sensor", f"{at_issuing}subjectAltName=DNS:*.a.test,IP:10.0.0.1\n")
        issuing.issue("ended", at_issuing, end="20260101000000Z")
        issuing.issue("silent", f"{SERVER}crlDistributionPoints=URI:{site.url}/none.crl\n")
        issuing.issue("secure", f"{SERVER}crlDistributionPoints=URI:https://a.test/x.crl\n")
        many = ",".join(f"URI:{site.url}/none-{number}.crl" for number in range(40))
        issuing.issue("many", f"{SERVER}crlDistributionPoints={many}\n")
        issuing.issue("bare", "basicConstraints=CA:FALSE\n")
        revoked = issuing.issue("revoked", at_issuing)
        issuing.revoke(revoked)
        world = World(site, top, issuing)
        for authority, name in ((top, "root"), (issuing, "issuing")):
            run("openssl", "crl", "-in", authority.crl(), "-outform", "DER", "-out", folder / f"{name}.der")
            world.published[f"/{name}.crl"] = (folder / f"{name}.der").read_bytes()
        yield world


@pytest.fixture
def here(world: World, cli: Cli) -> Cli:
    """The command line beside NAME.crt, issuing.crt, root.crt, issuing.crl and root.crl; all is published."""
    world.site.files.clear()
    world.site.files.update(world.published)
    world.site.requests.clear()
    for path in world.issuing.folder.glob("*.crt"):
        shutil.copy(path, path.name)
    for authority, name in ((world.root, "root"), (world.issuing, "issuing")):
        shutil.copy(authority.certificate, f"{name}.crt")
        shutil.copy(authority.folder / "ca.crl", f"{name}.crl")
    return cli


CHAIN = ("--chain", "issuing.crt", "--trust", "root.crt", *AT)


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def problems(outcome: Any) -> list[tuple[str, int]]:
    return [(problem["rule"], problem["depth"]) for problem in json.loads(outcome.out)["problems"]]


@needs_openssl
def test_a_valid_path_is_shown_and_accepted(here: Cli) -> None:
    outcome = here("verify", "sensor.crt", *CHAIN)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "CN=sensor.test, until 2035-01-01T00:00:00Z\n"
        "  CN=issuing, until 2035-01-01T00:00:00Z\n"
        "    CN=root, until 2040-01-01T00:00:00Z\n"
        "accepted\n"
    )


@needs_openssl
def test_a_rejection_has_certificate_rule_and_remedy(here: Cli) -> None:
    outcome = here("verify", "ended.crt", *CHAIN)
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out.endswith(
        "  The certificate [CN=ended.test] has expired (on 2026-01-01 00:00:00Z).\n"
        "    Renew the certificate, or verify at another time.\n"
        "refused\n"
    )


@needs_openssl
def test_json_has_the_path_and_the_problems(here: Cli) -> None:
    outcome = here("verify", "ended.crt", *CHAIN, "--host", "b.test", "--json")
    result = json.loads(outcome.out)
    assert (outcome.code, result["accepted"]) == (1, False)
    assert [one["subject"] for one in result["path"]] == ["CN=ended.test", "CN=issuing", "CN=root"]
    assert problems(outcome) == [("expired", 0), ("hostname", 0)]
    assert [one["openssl"] for one in result["problems"]] == [10, None]
    assert json.loads(here("verify", "sensor.crt", *CHAIN, "--json").out)["problems"] == []


@needs_openssl
@pytest.mark.parametrize(
    ("name", "how", "rule"),
    [
        ("sensor", ("--host", "x.a.test"), None),
        ("sensor", ("--host", "10.0.0.1"), None),
        ("sensor", ("--host", "a.test"), "hostname"),
        ("sensor", ("--host", "x.y.a.test"), "hostname"),
        ("sensor", ("--host", "10.0.0.2"), "hostname"),
        ("sensor", ("--purpose", "server"), None),
        ("sensor", ("--purpose", "client"), "purpose"),
        ("sensor", ("--at", "2036-01-01"), "expired"),
        ("sensor", ("--at", "2024-01-01"), "not-yet-valid"),
        ("sensor", ("--crl", "issuing.crl", "--crl", "root.crl"), None),
        ("revoked", ("--crl", "issuing.crl", "--crl", "root.crl"), "revoked"),
        ("sensor", ("--crl", "root.crl"), "crl-missing"),
    ],
)
def test_options_determine_what_is_checked(
    name: str, how: tuple[str, ...], rule: str | None, here: Cli
) -> None:
    outcome = here("verify", f"{name}.crt", *CHAIN, *how, "--json")
    rules = problems(outcome)
    assert outcome.code == (1 if rule else 0)
    assert (rule, 0) in rules if rule else not rules


@needs_openssl
def test_an_encrypted_file_without_a_passphrase_names_the_option(here: Cli) -> None:
    parts = ("-in", "sensor.crt", "-nokeys", "-passout", "pass:secret")
    run("openssl", "pkcs12", "-export", *parts, "-out", "closed.pfx")
    Path("wrong").write_text("other\n")
    for command in (("verify", "closed.pfx"), ("check", "closed.pfx"), ("sets", "match", "closed.pfx")):
        outcome = here(*command)
        assert "use --passphrase-file FILE" in words(outcome.out + outcome.err)
        outcome = here(*command, "--passphrase-file", "wrong")
        assert "check the file of --passphrase-file" in words(outcome.out + outcome.err)


@needs_openssl
def test_without_trust_self_signed_certificates_of_the_files_are_trusted_with_a_note(here: Cli) -> None:
    text = "".join(Path(name).read_text() for name in ("sensor.crt", "issuing.crt", "root.crt"))
    Path("full.pem").write_text(text)
    outcome = here("verify", "full.pem", *AT)
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, "accepted")
    assert NOTE in words(outcome.err)
    outcome = here("verify", "full.pem", "--trust", "issuing.crt", *AT)
    assert (outcome.code, outcome.err) == (0, "")
    Path("half.pem").write_text(Path("sensor.crt").read_text() + Path("issuing.crt").read_text())
    outcome = here("verify", "half.pem", *AT)
    assert outcome.code == 1
    assert "No trust anchor was given" in words(outcome.err)
    issuer = run("openssl", "x509", "-in", "issuing.crt", "-noout", "-issuer", "-nameopt", "RFC2253")
    assert f"certificate is missing ({issuer.strip().removeprefix('issuer=')})" in words(outcome.out)


@needs_openssl
@pytest.mark.parametrize("form", ["pfx", "p7b", "der", "reversed"])
def test_certificate_and_chain_are_read_from_any_format(form: str, here: Cli, world: World) -> None:
    Path("chain.pem").write_text(Path("root.crt").read_text() + Path("issuing.crt").read_text())
    Path("pass").write_text("secret\n")
    arguments: tuple[str, ...] = (f"sensor.{form}",)
    if form == "pfx":
        key = world.issuing.folder / "sensor.key"
        parts = ("-inkey", key, "-in", "sensor.crt", "-certfile", "chain.pem", "-passout", "pass:secret")
        run("openssl", "pkcs12", "-export", *parts, "-out", "sensor.pfx")
        arguments = ("sensor.pfx", "--passphrase-file", "pass")
    elif form == "p7b":
        files = ("-certfile", "chain.pem", "-certfile", "sensor.crt")
        run("openssl", "crl2pkcs7", "-nocrl", *files, "-out", "sensor.p7b")
    elif form == "der":
        run("openssl", "x509", "-in", "sensor.crt", "-outform", "DER", "-out", "sensor.der")
        arguments = ("sensor.der", "--chain", "chain.pem")
    else:
        Path("sensor.reversed").write_text(Path("chain.pem").read_text() + Path("sensor.crt").read_text())
    outcome = here("verify", *arguments, *AT)
    assert outcome.code == 0, outcome.out + outcome.err
    assert outcome.out.startswith("CN=sensor.test")


@needs_openssl
def test_each_crl_is_fetched_once(here: Cli, world: World) -> None:
    assert here("verify", "sensor.crt", *CHAIN, "--fetch-crl").code == 0
    assert sorted(world.site.requests) == ["/issuing.crl", "/root.crl"]
    assert problems(here("verify", "revoked.crt", *CHAIN, "--fetch-crl", "--json")) == [("revoked", 0)]


@needs_openssl
def test_crls_are_fetched_through_a_proxy(here: Cli, world: World) -> None:
    with running() as proxy:
        proxy.files.update({f"{world.site.url}{path}": data for path, data in world.published.items()})
        assert here("verify", "sensor.crt", *CHAIN, "--fetch-crl", "--proxy", proxy.url).code == 0
        assert (len(proxy.requests), world.site.requests) == (2, [])


@needs_openssl
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("silent", "/none.crl: HTTP 404"),
        ("secure", "https is not supported for CRLs"),
        ("bare", "the certificate has no CRL URL"),
        ("many", "32 more URLs were not tried"),
    ],
)
def test_an_unavailable_crl_is_a_rejection_with_the_reason(
    name: str, reason: str, here: Cli, world: World
) -> None:
    outcome = here("verify", f"{name}.crt", *CHAIN, "--fetch-crl")
    assert outcome.code == 1
    assert reason in words(outcome.out)
    advice = (
        "Provide the issuer's CRL" if name == "bare" else "Verify that the URL is reachable from this machine"
    )
    assert advice in words(outcome.out)
    assert len(world.site.requests) <= 9
    assert problems(here("verify", f"{name}.crt", *CHAIN, "--fetch-crl", "--json")) == [("crl-missing", 0)]


@needs_openssl
@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"\x30\x03\x02\x01\x01", EMPTY_P12])
def test_a_response_that_is_no_crl_is_reported(body: bytes, here: Cli, world: World) -> None:
    world.site.files["/issuing.crl"] = body
    outcome = here("verify", "sensor.crt", *CHAIN, "--fetch-crl")
    assert outcome.code == 1
    assert f"the response of {world.site.url}/issuing.crl is not a CRL" in words(outcome.out)


@needs_openssl
def test_a_crl_in_pem_is_accepted_with_a_note(here: Cli, world: World) -> None:
    world.site.files["/issuing.crl"] = Path("issuing.crl").read_bytes()
    outcome = here("verify", "sensor.crt", *CHAIN, "--fetch-crl")
    assert outcome.code == 0
    assert f"{world.site.url}/issuing.crl serves PEM; it should be DER" in words(outcome.err)


@needs_openssl
def test_an_anchor_that_is_no_root_needs_no_crl(here: Cli, world: World) -> None:
    outcome = here("verify", "sensor.crt", "--trust", "issuing.crt", *AT, "--fetch-crl")
    assert (outcome.code, world.site.requests) == (0, ["/issuing.crl"])


@needs_openssl
def test_a_host_only_in_the_common_name_is_accepted_with_a_note(here: Cli) -> None:
    outcome = here("verify", "bare.crt", *CHAIN, "--host", "bare.test")
    assert outcome.code == 0
    assert "Only the common name matches the host" in words(outcome.err)
    assert here("verify", "bare.crt", *CHAIN).err == ""


@needs_openssl
def test_a_damaged_certificate_among_others_is_omitted_and_reported(here: Cli) -> None:
    damaged = re.sub(r"\n(.{40})", r"\nAAAA\1", Path("root.crt").read_text(), count=1)
    Path("chain.pem").write_text(Path("issuing.crt").read_text() + damaged)
    outcome = here("verify", "sensor.crt", "--chain", "chain.pem", "--trust", "root.crt", *AT)
    assert outcome.code == 0
    assert "not used: chain.pem (number 2), certificate: it cannot be read: " in words(outcome.out)


@needs_openssl
def test_names_from_files_cannot_inject_terminal_escapes(here: Cli, world: World) -> None:
    world.issuing.issue("steering", common_name="\x1b]0;owned\x07")
    path = world.issuing.folder / "steering.crt"
    for more in ((), ("--host", "\x1b[2J")):
        outcome = here("verify", path, *CHAIN, *more)
        assert "\x1b" not in outcome.out + outcome.err
        assert "\\x1b" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("none.crt",), "none.crt cannot be read: No such file"),
        (("empty.crt",), "empty.crt contains no certificate that can be read: the file is empty"),
        (("junk.crt",), "contains no certificate that can be read"),
        (("hollow.p12",), "contains no certificate that can be read"),
        (("hollow.pem",), "contains no certificate that can be read"),
        (("console.crt", "--crl", "hollow.p12"), "contains no CRL that can be read"),
        ((".",), "cannot be read"),
        (("console.key",), "contains no certificate that can be read: it is a private key"),
        (("console.crt", "--chain", "junk.crt"), "junk.crt contains no certificate"),
        (("console.crt", "--trust", "none.pem"), "No such file"),
        (
            ("console.crt", "--crl", "console.crt"),
            "console.crt contains no CRL that can be read: it is a cert",
        ),
        (("console.crt", "--crl", "x", "--fetch-crl"), "exclude each other"),
        (("console.crt", "--at", "yesterday"), "neither a time relative to now"),
        (("console.crt", "--purpose", "code"), "'code' is not one of"),
        (
            ("console.crt", "--fetch-crl", "--proxy", "socks5://x:1"),
            "the proxy 'socks5://x:1' is not an http URL",
        ),
        (("console.crt", "--passphrase-file", "none"), "No such file"),
        (("console.crt", "--host", "https://console.test/"), "is a URL; give only the host"),
        (("console.crt", "--host", "console.test:443"), "contains a port; give only the host"),
        (("console.crt", "--host", ""), "the host is empty"),
        (("console.crt", "--proxy", "http://127.0.0.1:1"), "--proxy applies only to --fetch-crl"),
    ],
)
def test_unusable_input_is_exit_code_2(
    arguments: tuple[str, ...], says: str, cli: Cli, environment: Path
) -> None:
    Path("empty.crt").touch()
    Path("junk.crt").write_bytes(b"\x30\x82\xff\xff junk")
    Path("hollow.p12").write_bytes(EMPTY_P12)
    Path("hollow.pem").write_text(EC_PARAMETERS)
    for path in (environment / "certificates" / "console").iterdir():
        shutil.copy(path, path.name)
    outcome = cli("verify", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert says in words(outcome.err)
    assert "Traceback" not in outcome.err


@needs_openssl
@pytest.mark.parametrize("how", [(), ("--json",)])
def test_only_results_are_on_stdout_without_trust(how: tuple[str, ...], here: Cli) -> None:
    outcome = here("verify", "sensor.crt", "--chain", "issuing.crt", "--chain", "root.crt", *AT, *how)
    assert (outcome.code, NOTE in words(outcome.err), NOTE in words(outcome.out)) == (0, True, bool(how))
    assert not how or NOTE in json.loads(outcome.out)["notes"][0]


@needs_openssl
def test_json_always_has_the_same_members(here: Cli) -> None:
    for name in ("sensor", "ended", "silent"):
        result = json.loads(here("verify", f"{name}.crt", *CHAIN, "--fetch-crl", "--json").out)
        assert set(result) == {"accepted", "verdict", "path", "problems", "unused", "notes"}
        assert [set(one) for one in result["path"]] == [{"subject", "not_after", "sha256"}] * 3
        members = {"rule", "depth", "message", "advice", "openssl"}
        assert [set(one) for one in result["problems"]] == [members] * len(result["problems"])
        assert result["accepted"] is (not result["problems"])


@needs_openssl
def test_no_line_is_wider_than_80_columns(here: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in (
        ("ended.crt", *CHAIN, "--host", "b.test", "--purpose", "client", "--fetch-crl"),
        ("many.crt", *CHAIN, "--fetch-crl"),
        ("bare.crt", "--chain", "issuing.crt", "--chain", "root.crt", *AT, "--host", "bare.test"),
        ("sensor.crt", *CHAIN, "--crl", "root.crl", "--host", "10.0.0.2"),
    ):
        outcome = here("verify", *arguments)
        lines = (outcome.out + outcome.err).splitlines()
        assert lines
        assert [line for line in lines if len(line) > 80 and " " in line.strip()] == []


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_it(small(), tmp_path_factory.mktemp("built")).folder


def test_built_certificates_are_accepted_with_their_crls(cli: Cli, environment: Path) -> None:
    authorities = environment / "authorities"
    given = [word for name in ("issuing", "root") for word in ("--crl", authorities / name / f"{name}.crl")]
    leaf = environment / "certificates" / "console" / "console.crt"
    chain = ("--chain", authorities / "issuing" / "issuing.crt", "--trust", environment / "trust.pem")
    outcome = cli("verify", leaf, *chain, *given, "--host", "console.test", "--purpose", "server")
    assert (outcome.code, outcome.err) == (0, "")
