"""What the appliance's documentation demands, fact by fact, and the requirements that carry it over.

The facts are described in our own words. A fact without a requirement says why it needs none.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pkigen.requirements import Level, RequirementSet, load_set

CRT, KEY, CHAIN = "CRT file requirements", "Key file requirements", "Using a certificate chain"
CRL = "CRL server access for certificate validation"
FILES = "Supported certificate file types"
VALIDATION = "About certificate validation"


@dataclass(frozen=True)
class Fact:
    """One fact of a section: the ids that claim it, or why nothing has to."""

    section: str
    says: str
    ids: tuple[str, ...] = ()
    reason: str = ""


SOURCE = (
    Fact(CRT, "the signature algorithm is RSA with SHA-256", ("signature-sha256-rsa",)),
    Fact(CRT, "the digest of the signature is SHA-256", ("signature-hash-sha256",)),
    Fact(CRT, "the validity began in the past", ("not-before-past",)),
    Fact(CRT, "the validity ends in the future", ("not-after-future",)),
    Fact(CRT, "the public key is RSA", ("public-key-rsa",)),
    Fact(CRT, "it has 2048 bits at least", ("public-key-2048",)),
    Fact(CRT, "the sizes that are named are 2048 and 4096 bits", ("public-key-size",)),
    Fact(CRT, "a CRL distribution point leads to a .crl file", ("crl-distribution-point",)),
    Fact(CRT, "the common name is the domain name of the appliance", ("subject-cn",)),
    Fact(CRT, "the subject has a country", ("subject-c",)),
    Fact(CRT, "the subject has an organizational unit", ("subject-ou",)),
    Fact(CRT, "the subject has an organization", ("subject-o",)),
    Fact(CRT, "wildcards are not supported", ("subject-cn-no-wildcard",)),
    Fact(CRT, "no two appliances share a common name", ("subject-cn-unique",)),
    Fact(CRT, "other parameters may work", reason="that is what the level 'unsupported' says"),
    Fact(KEY, "the key is RSA", ("public-key-rsa",)),
    Fact(KEY, "it has 2048 or 4096 bits", ("public-key-2048", "public-key-size")),
    Fact(KEY, "4096 bits cost time in each handshake", ("public-key-4096-slow",)),
    Fact(CHAIN, "the file is a .pem", ("chain-suffix", "chain-encoding")),
    Fact(CHAIN, "it has the CA that issued the certificate", ("chain-issuer",)),
    Fact(CHAIN, "it has every CA up to the root", ("chain-complete",)),
    Fact(CHAIN, "it has CA certificates", ("chain-only-authorities",)),
    Fact(CHAIN, "it may contain bag attributes", reason="nothing is demanded; a test reads such a chain"),
    Fact(CHAIN, "it may be left out", reason="no demand has 'required' for the chain's file"),
    Fact(CRL, "the URL is http", ("crl-url-http",)),
    Fact(CRL, "the appliance can reach the CRL server", ("crl-reachable",)),
    Fact(CRL, "the default port is 80", reason="a network's setting; any port may be given"),
    Fact(CRL, "another port may be in the URL", reason="crl-url-http has no 'ports'"),
    Fact(CRL, "an HTTP proxy may be in between", reason="the checker has --proxy; nothing is demanded"),
    Fact(FILES, "the certificate is PEM or DER", ("certificate-encoding",)),
    Fact(FILES, "its file ends in .crt", ("certificate-suffix",)),
    Fact(FILES, "the key is PEM", ("key-encoding",)),
    Fact(FILES, "its file ends in .key", ("key-suffix",)),
    Fact(FILES, "a .pem file is not needed", reason="no demand has 'required' for the chain's file"),
    Fact(FILES, "other types are converted first", reason="that is what `pkigen convert` does"),
    Fact(VALIDATION, "revoked certificates are refused", ("not-revoked",)),
    Fact(VALIDATION, "the expiration date counts", reason="claimed by the fields of the .crt file"),
    Fact(VALIDATION, "the chain of trust is validated", ("chain-of-trust",)),
)
UPLOAD = {"key-opens", "key-sound", "key-matches"}
"""Requirements that follow from how the appliance takes an upload, and from no list."""

CHANGES = {
    "defender-iot-2020": (
        {"subject-cn-no-wildcard", "subject-cn-unique"},
        {"chain-order": CHAIN},
    ),
    "defender-iot-current": (set(), {"passphrase-characters": KEY}),
}
"""Other versions of the documentation: what they do not demand, and what they demand besides."""

REWORDED = {
    "defender-iot-2020": {"certificate-suffix"},
    "defender-iot-current": {"crl-distribution-point"},
}
"""What they demand in another way."""


@pytest.fixture
def source() -> RequirementSet:
    """The set of the documentation that is carried over here."""
    return load_set("defender-iot")


@pytest.mark.parametrize("fact", SOURCE, ids=lambda fact: fact.says.replace(" ", "-"))
def test_a_fact_is_carried_over_from_its_section_or_needs_no_requirement(
    fact: Fact, source: RequirementSet
) -> None:
    assert bool(fact.ids) != bool(fact.reason)
    for one in fact.ids:
        assert fact.section in source[one].section.split("; ")


def test_every_requirement_comes_from_a_fact_or_from_the_upload_behavior(source: RequirementSet) -> None:
    claimed = {one for fact in SOURCE for one in fact.ids}
    assert {one.id for one in source.requirements} == claimed | UPLOAD
    assert {one.id for one in source.requirements if one.section == "Certificate upload"} == UPLOAD


def test_every_section_that_a_requirement_names_has_the_fact(source: RequirementSet) -> None:
    claimed = {(fact.section, one) for fact in SOURCE for one in fact.ids}
    named = {(section, one.id) for one in source.requirements for section in one.section.split("; ")}
    assert {pair for pair in named if pair[1] not in UPLOAD} == claimed


def test_only_violations_with_a_message_of_the_appliance_are_rejected(source: RequirementSet) -> None:
    refused = {one.id for one in source.of_level(Level.REJECTED)}
    assert refused == UPLOAD | {
        *("not-before-past", "not-after-future", "crl-reachable", "not-revoked"),
        *("chain-issuer", "chain-of-trust"),
    }


def test_other_sizes_and_slow_handshakes_are_advice(source: RequirementSet) -> None:
    assert {one.id for one in source.of_level(Level.ADVICE)} == {"public-key-size", "public-key-4096-slow"}


def test_requirements_that_depend_on_validation_declare_the_switch(source: RequirementSet) -> None:
    validated = {one.id for one in source.requirements if one.when == "validation"}
    assert validated == {"crl-reachable", "not-revoked", "chain-of-trust"}


@pytest.mark.parametrize("name", CHANGES)
def test_another_version_differs_only_where_its_documentation_does(name: str, source: RequirementSet) -> None:
    gone, new = CHANGES[name]
    other = load_set(name)
    mine = {one.id: one for one in source.requirements}
    theirs = {one.id: one for one in other.requirements}
    assert (mine.keys() - theirs.keys(), theirs.keys() - mine.keys()) == (gone, set(new))
    assert {one: theirs[one].section for one in new} == new
    changed = {one for one in mine.keys() & theirs.keys() if mine[one] != theirs[one]}
    assert changed == REWORDED[name]


def _parameters(name: str, requirement: str) -> dict[str, object]:
    return load_set(name)[requirement].demands[0].model_dump(exclude_unset=True)


def test_the_first_version_accepts_four_suffixes_and_requires_the_issuing_ca_first() -> None:
    name = "defender-iot-2020"
    assert _parameters(name, "certificate-suffix") == {"suffixes": (".crt", ".cer", ".cert", ".pem")}
    assert _parameters(name, "chain-order") == {"order": "issuing-first"}


def test_the_current_version_limits_the_characters_of_a_passphrase() -> None:
    pattern = _parameters("defender-iot-current", "passphrase-characters")["passphrase_characters"]
    letters = "abcdefghijklmnopqrstuvwxyz"
    allowed = {*letters, *letters.upper(), *"0123456789", *"!#%()+,-./:=?@[\\]^_{}~"}
    every = map(chr, range(0x20, 0x17F))
    assert {c for c in every if pattern.matches(c)} == allowed  # type: ignore[attr-defined]


def test_the_current_version_requires_a_crl_only_with_validation_and_under_any_name() -> None:
    name = "defender-iot-current"
    assert _parameters(name, "crl-distribution-point") == {"required": True}
    assert load_set(name)["crl-distribution-point"].when == "validation"
