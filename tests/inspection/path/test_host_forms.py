"""What counts as a host, how forms of it compare, and each place where OpenSSL has it otherwise."""

from __future__ import annotations

import pytest

from pkigen.inspection.path import host_mismatch
from pkigen.inspection.path.host_names import invalid_host
from pkigen.x509 import Certificate
from tests.inspection.path.certificates import (
    SERVER,
    Files,
    by_openssl,
    certificates,
)
from tests.inspection.path.conftest import Made
from tests.inspection.path.openssl_verdicts import judged, sound

pytestmark = pytest.mark.needs("openssl")

_NUL = "DER:30:15:82:13:" + ":".join(f"{octet:02x}" for octet in b"www.a.test\0evil.test"[:19])
_SAME = [
    ("DNS:www.a.test", "www.a.test", True),
    ("DNS:WWW.A.TEST", "www.a.test", True),
    ("DNS:www.a.test", "www..a.test", False),
    ("DNS:www.a.test", "www.a.test..", False),
    ("DNS:www.a.test", "www.a.test ", False),
    ("DNS:*.a.test", "x.a.test", True),
    ("DNS:*.a.test", "a.test", False),
    ("DNS:*.a.test", "x.y.a.test", False),
    ("DNS:*.a.test", "..a.test", False),
    ("DNS:*.a.test", "a_b.a.test", False),
    ("DNS:*.a.test", "*b.a.test", False),
    ("DNS:*.a.test", "xn--bcher-kva.a.test", True),
    ("DNS:*.a_b.test", "x.a_b.test", False),
    ("DNS:*..a.test", "x..a.test", False),
    ("DNS:*.test", "x.test", False),
    ("DNS:*", "x", False),
    ("DNS:*", "x.test", False),
    ("DNS:*.*.test", "a.b.test", False),
    ("DNS:a.*.test", "a.b.test", False),
    ("DNS:*.0.0.1", "10.0.0.1", False),
    ("DNS:10.0.0.1", "10.0.0.1", False),
    ("DNS:xn--bcher-kva.test", "XN--BCHER-KVA.test", True),
    ("DNS:xn--bcher-*.test", "xn--bcher-kva.test", False),
    ("IP:10.0.0.1", "10.0.0.1", True),
    ("IP:10.0.0.1", "10.0.0.11", False),
    ("IP:10.0.0.1", "::ffff:10.0.0.1", False),
    ("IP:::ffff:10.0.0.1", "10.0.0.1", False),
    ("IP:::ffff:10.0.0.1", "::ffff:10.0.0.1", True),
    ("IP:2001:db8::1", "2001:0DB8:0:0:0:0:0:1", True),
    ("email:a@b.test,URI:http://u.test/", "cn.test", True),
    ("email:a@b.test,URI:http://u.test/", "u.test", False),
    ("DNS:other.test", "cn.test", False),
    ("DER:30:02:82:00", "cn.test", False),
    ("DER:30:00", "cn.test", True),
    (_NUL, "www.a.test", False),
]
"""Alternative names, a host, whether it is covered: the same here and with OpenSSL."""


@pytest.fixture(scope="module")
def leaves(made: Made) -> dict[str, Files]:
    """Files of a leaf for each alternative names, made once."""
    return {}


def files(leaves: dict[str, Files], names: str, host: str, made: Made) -> Files:
    if names not in leaves:
        extensions = f"{SERVER}subjectAltName={names}\n" if names else SERVER
        leaf = made.issuing.issue(f"form-{len(leaves)}", extensions, common_name="cn.test")
        leaves[names] = sound(made, leaf=leaf)
    files_of_leaf = leaves[names]
    return Files(files_of_leaf.leaf, files_of_leaf.chain, files_of_leaf.trust, host=host)


@pytest.mark.parametrize(("names", "host", "covered"), _SAME)
def test_a_form_of_a_host_has_the_verdict_of_openssl(
    names: str, host: str, covered: bool, made: Made, leaves: dict[str, Files]
) -> None:
    given = files(leaves, names, host, made)
    assert (judged(given).ok, not by_openssl(given)) == (covered, covered)


_STRICTER = [
    ("DNS:x*.a.test", "x*.a.test"),  # not a wildcard, and no host name either
    ("DNS:www.a.test.", "www.a.test."),  # RFC 9525, 6.3: presented identifiers have no final full stop
    ("DNS:x*.a.test", "xy.a.test"),  # a part of a label
    ("DNS:www.a.test", ""),  # OpenSSL asks nothing then
]
_LAXER = [
    ("DNS:www.a.test", "www.a.test."),  # clients take the final full stop away before they ask OpenSSL
    ("DNS:*.a.test", "x.a.test."),
]


@pytest.mark.parametrize(
    ("names", "host", "here"), [(*pair, False) for pair in _STRICTER] + [(*pair, True) for pair in _LAXER]
)
def test_each_difference_from_openssl_is_intended(
    names: str, host: str, here: bool, made: Made, leaves: dict[str, Files]
) -> None:
    given = files(leaves, names, host, made)
    assert (judged(given).ok, not by_openssl(given)) == (here, not here)


def test_a_leading_zero_in_an_address_matches_nothing(made: Made, leaves: dict[str, Files]) -> None:
    """It is octal to some and decimal to others; OpenSSL 3.0 reads it as decimal, OpenSSL 3.5 rejects it."""
    assert not judged(files(leaves, "IP:10.0.0.1", "010.0.0.1", made)).ok


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("", "the host is empty"),
        (".", "the host is empty"),
        ("https://www.a.test/", "'https://www.a.test/' is a URL; give only the host"),
        ("www.a.test/path", "is a URL"),
        ("10.0.0.0/8", "is a URL"),
        ("www.a.test:443", "'www.a.test:443' contains a port; give only the host"),
        ("10.0.0.1:443", "contains a port"),
        ("[2001:db8::1]:443", "contains a port"),
        (
            "bücher.test",
            "non-ASCII characters; certificates contain it as xn--bcher-kva.test",
        ),
        ("\udce9.test", "contains non-ASCII characters"),
        (f"{'ü' * 100}.test", "contains non-ASCII characters"),
    ],
)
def test_an_invalid_host_is_reported_instead_of_a_mismatch(host: str, words: str, made: Made) -> None:
    assert words in invalid_host(host)
    (leaf,) = certificates(made.leaf)
    assert words in host_mismatch(leaf, host)
    (problem,) = judged(sound(made, host=host)).problems
    assert (problem.rule, problem.depth, problem.code) == ("hostname", 0, 0)


def test_a_host_that_has_no_ascii_form_is_reported_without_one() -> None:
    assert invalid_host("\udce9.test").endswith("' contains non-ASCII characters")


@pytest.mark.parametrize("host", ["www.a.test", "a", "10.0.0.1", "2001:db8::1", "[2001:db8::1]", "*.a.test"])
def test_a_valid_host_is_not_reported_as_invalid(host: str) -> None:
    assert invalid_host(host) == ""


@pytest.mark.parametrize("host", ["[10.0.0.1", "10.0.0.1]", "[[::1]]", "[10.0.0.1]", "[www.a.test]"])
def test_invalid_brackets_are_not_removed(host: str, made: Made, leaves: dict[str, Files]) -> None:
    names = "IP:10.0.0.1,IP:::1,DNS:www.a.test"
    assert not judged(files(leaves, names, host, made)).ok


def test_a_letter_that_only_unicode_folds_to_ascii_is_another_letter(made: Made) -> None:
    (leaf,) = certificates(made.leaf)
    kelvin = Certificate(leaf.der.replace(b"leaf.test", "\u212af.test".encode()))
    assert host_mismatch(kelvin, "kf.test") == (
        "its subject alternative names contain no DNS name or IP address, and its common name is \u212af.test"
    )


@pytest.mark.parametrize(
    ("host", "covered"), [("[2001:db8::1]", True), ("[2001:DB8:0::1]", True), ("2001:db8::1%eth0", False)]
)
def test_an_address_in_brackets_has_no_zone(
    host: str, covered: bool, made: Made, leaves: dict[str, Files]
) -> None:
    # OpenSSL's command takes neither form as an address.
    assert judged(files(leaves, "IP:2001:db8::1", host, made)).ok is covered


def test_many_names_are_listed_up_to_a_limit(made: Made, leaves: dict[str, Files]) -> None:
    names = ",".join(f"DNS:h{number}.test" for number in range(40))
    (problem,) = judged(files(leaves, names, "x.test", made)).problems
    assert "h4.test and 35 more" in problem.message
    assert "h5.test" not in problem.message
