"""Names and addresses, beside ``openssl verify -verify_hostname``; and where the two differ."""

from __future__ import annotations

import pytest

from tests.inspection.path.certificates import SERVER, by_openssl
from tests.inspection.path.conftest import Made
from tests.inspection.path.openssl_verdicts import judged, sound

pytestmark = pytest.mark.needs("openssl")

_NAMES = {
    "plain": "DNS:www.a.test,DNS:B.test",
    "wild": "DNS:*.a.test",
    "short": "DNS:*.test",
    "deep": "DNS:www.*.a.test",
    "address": "DNS:10.0.0.9,IP:10.0.0.1,IP:2001:db8::1",
    "mail": "email:a@www.a.test",
    "": "",
}
_HOSTS = (
    *("www.a.test", "WWW.A.TEST", "a.test", "b.test", "x.www.a.test", "www.b.a.test", "test"),
    *("10.0.0.1", "10.0.0.9", "2001:db8::1", "2001:DB8:0::1", "host.cn.test", "*.a.test"),
)


@pytest.mark.parametrize("kind", _NAMES)
def test_hosts_are_matched_as_openssl_does(kind: str, made: Made) -> None:
    names = f"subjectAltName={_NAMES[kind]}\n" if kind else ""
    leaf = made.issuing.issue(f"names-{kind}", SERVER + names, common_name="host.cn.test")
    for host in _HOSTS:
        files = sound(made, leaf=leaf, host=host)
        assert judged(files).ok is (not by_openssl(files)), (kind, host)


@pytest.mark.parametrize(
    ("names", "common_name", "host"),
    [
        ("DNS:f*.a.test", "x.test", "foo.a.test"),  # RFC 9525, 6.3: a wildcard is a whole label
        ("IP:10.0.0.1", "www.cn.test", "www.cn.test"),  # the common name beside addresses
        ("DNS:www.a.test", "x.test", ".a.test"),  # not a host, but OpenSSL's word for all below a.test
    ],
)
def test_hosts_that_only_openssl_accepts(names: str, common_name: str, host: str, made: Made) -> None:
    name = f"differs-{host.strip('.')}"
    leaf = made.issuing.issue(name, f"{SERVER}subjectAltName={names}\n", common_name=common_name)
    files = sound(made, leaf=leaf, host=host)
    assert (judged(files).ok, by_openssl(files)) == (False, set())


def test_a_common_name_does_not_match_an_ip_address(made: Made) -> None:
    leaf = made.issuing.issue("address-cn", SERVER, common_name="10.0.0.7")
    files = sound(made, leaf=leaf, host="10.0.0.7")
    assert (judged(files).ok, bool(by_openssl(files))) == (False, True)
