"""Each enrollment fault of ACME reaches the client, as often as requested and where requested."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from pkigen.clock import utc_now
from pkigen.enrolment.acme.faulty_replies import _with_root
from pkigen.enrolment.acme.renewal import renewal_id
from pkigen.enrolment.faults import EnrolmentFaults
from pkigen.faults import ENROLMENT_FAULTS
from pkigen.store import Store
from tests.enrolment.acme.client import AcmeClient
from tests.enrolment.acme.conftest import Directories

NAME = "a.contoso.test"


@pytest.fixture
def faults(directories: Directories) -> EnrolmentFaults:
    return directories.faults


def _put(faults: EnrolmentFaults, own_id: str, *, template: str = "", **arguments: object) -> None:
    given = {name: str(value) for name, value in arguments.items() if value != ""}
    faults.put({own_id: given}, template=template)


def _detail(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["type"].rpartition(":")[2]


def test_a_fault_ends_after_its_number_of_requests(client: AcmeClient, faults: EnrolmentFaults) -> None:
    _put(faults, "acme-bad-nonce", times=2, endpoint="new-order")
    assert client.post(client.kid).status_code == 200
    for _ in range(2):
        assert _detail(client.order(NAME)) == (400, "badNonce")
    assert client.order(NAME).status_code == 201
    assert faults.all() == ()


def test_a_fault_is_only_for_the_identifiers_and_the_template_that_it_names(
    client: AcmeClient, faults: EnrolmentFaults
) -> None:
    _put(faults, "acme-terms-changed", identifier="b.*", template="sensors")
    _put(faults, "acme-terms-changed", template="short")
    assert client.order(NAME).status_code == 201
    assert _detail(client.order("b.contoso.test")) == (403, "userActionRequired")
    faults.clear(id="acme-terms-changed")
    assert client.order("b.contoso.test").status_code == 201


@pytest.mark.parametrize(
    ("own_id", "expected"),
    [("seconds", "2"), ("date", " GMT"), ("past", " GMT"), ("absent", "")],
)
def test_rate_limits_have_each_form_of_retry_after(
    client: AcmeClient, faults: EnrolmentFaults, own_id: str, expected: str
) -> None:
    _put(faults, f"acme-429-{own_id}", times=1)
    response = client.order(NAME)
    assert _detail(response) == (429, "rateLimited")
    assert response.headers.get("Retry-After", "").endswith(expected)
    assert ("Retry-After" in response.headers) == (own_id != "absent")


def _orders(client: AcmeClient) -> httpx.Response:
    return client.order(NAME)


def _directory(client: AcmeClient) -> httpx.Response:
    return client.http.get(client.directory_url)


def _certificate(client: AcmeClient) -> httpx.Response:
    _, order = client.ready(NAME)
    return client.post(client.finalize(order, NAME).json()["certificate"])


def _renewal(client: AcmeClient) -> httpx.Response:
    der = x509.load_pem_x509_certificate(client.issue(NAME)).public_bytes(Encoding.DER)
    return client.http.get(f"{client.directory()['renewalInfo']}/{renewal_id(der)}")


def _common_names(response: httpx.Response) -> list[str]:
    certificates = x509.load_pem_x509_certificates(response.content)
    return [one.subject.rfc4514_string().partition(",")[0] for one in certificates]


def _in_hours(number: int) -> str:
    return f"{utc_now() + timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}"


def _window(response: httpx.Response) -> dict[str, str]:
    window: dict[str, str] = response.json()["suggestedWindow"]
    return window


VISIBLE: dict[str, tuple[Callable[[AcmeClient], httpx.Response], Callable[[httpx.Response], Any]]] = {
    "acme-nonce-missing": (_orders, lambda one: "Replay-Nonce" not in one.headers),
    "acme-503": (_orders, lambda one: one.status_code == 503 and one.headers["Retry-After"] == "2"),
    "acme-empty-200": (_orders, lambda one: one.status_code == 201 and not one.content),
    "acme-truncated-json": (_orders, lambda one: one.content.strip()[-1:] != b"}"),
    "acme-wrong-content-type": (_directory, lambda one: one.headers["Content-Type"].startswith("text/html")),
    "acme-location-missing": (_orders, lambda one: one.status_code == 201 and "Location" not in one.headers),
    "acme-directory-unknown-fields": (_directory, lambda one: "unknown" in one.json()),
    "acme-chain-reversed": (_certificate, lambda one: _common_names(one)[1] == f"CN={NAME}"),
    "acme-chain-with-root": (_certificate, lambda one: len(_common_names(one)) == 3),
    "acme-chain-without-issuer": (_certificate, lambda one: _common_names(one) == [f"CN={NAME}"]),
    "acme-window-past": (_renewal, lambda one: _window(one)["end"] < "2027"),
    "acme-window-far": (_renewal, lambda one: _window(one)["start"] > "2030"),
    "acme-window-moving": (_renewal, lambda one: _in_hours(23) < _window(one)["start"] < _in_hours(25)),
    "acme-alternate-missing": (_certificate, lambda one: one.headers["Link"].count("alternate") == 2),
    "acme-window-inverted": (_renewal, lambda one: _window(one)["end"] < _window(one)["start"]),
    "acme-renewal-info-404": (_renewal, lambda one: one.status_code == 404),
    "acme-renewal-retry-after-missing": (_renewal, lambda one: "Retry-After" not in one.headers),
}
"""What makes each of these faults visible, and how."""


@pytest.mark.parametrize("own_id", VISIBLE)
def test_the_fault_is_in_the_response_and_absent_without_it(
    client: AcmeClient, faults: EnrolmentFaults, own_id: str
) -> None:
    request, is_faulty = VISIBLE[own_id]
    if own_id != "acme-window-past":
        assert not is_faulty(request(client))
    endpoint = "new-order" if request is _orders else "directory" if request is _directory else ""
    _put(faults, own_id, endpoint=endpoint)
    assert is_faulty(request(client))


def test_a_new_account_without_an_external_account_is_rejected(
    directories: Directories, faults: EnrolmentFaults
) -> None:
    _put(faults, "acme-external-account-required", times=1)
    client = directories.client(register=False)
    assert _detail(client.register()) == (403, "externalAccountRequired")
    assert client.register().status_code == 201


def test_a_deactivated_account_stays_deactivated(client: AcmeClient, faults: EnrolmentFaults) -> None:
    _put(faults, "acme-account-deactivated", times=1)
    assert _detail(client.order(NAME)) == (401, "unauthorized")
    assert _detail(client.order(NAME)) == (401, "unauthorized")


def test_an_issued_certificate_is_behind_a_500_and_a_number_of_polls(
    client: AcmeClient, faults: EnrolmentFaults
) -> None:
    url, order = client.ready(NAME)
    _put(faults, "acme-500-after-finalize", times=1)
    _put(faults, "acme-processing", times=2, endpoint="order")
    assert client.finalize(order, NAME).status_code == 500
    assert [client.get(url)["status"] for _ in range(3)] == ["processing", "processing", "valid"]


@pytest.mark.parametrize("own_id", ["acme-ready-then-invalid", "acme-order-invalid", "acme-order-expired"])
def test_a_ready_order_becomes_invalid(client: AcmeClient, faults: EnrolmentFaults, own_id: str) -> None:
    url, order = client.ready(NAME)
    _put(faults, own_id, times=1)
    assert _detail(client.finalize(order, NAME)) == (403, "orderNotReady")
    assert client.get(url)["status"] == "invalid"


def test_a_finished_order_stays_valid_and_the_fault_is_for_the_next_one(
    client: AcmeClient, faults: EnrolmentFaults
) -> None:
    url, order = client.ready(NAME)
    client.finalize(order, NAME)
    _put(faults, "acme-order-invalid", times=1)
    assert client.get(url)["status"] == "valid"
    url, _ = client.ready(NAME)
    assert client.get(url)["status"] == "invalid"


def test_a_replacement_is_rejected_but_not_another_order(client: AcmeClient, faults: EnrolmentFaults) -> None:
    der = x509.load_pem_x509_certificate(client.issue(NAME)).public_bytes(Encoding.DER)
    _put(faults, "acme-replaces-rejected", times=1)
    assert client.order(NAME).status_code == 201
    assert _detail(client.order(NAME, replaces=renewal_id(der))) == (409, "alreadyReplaced")


def test_the_certificate_has_another_key_and_its_record_no_request(
    client: AcmeClient, directories: Directories, faults: EnrolmentFaults
) -> None:
    _put(faults, "acme-other-key", times=1)
    key = ec.generate_private_key(ec.SECP256R1())
    other, sound = (x509.load_pem_x509_certificate(client.issue(NAME, key=key)) for _ in range(2))
    assert other.public_key() != key.public_key()
    assert sound.public_key() == key.public_key()
    requests = dict[int, bytes]()
    for one in (other, sound):
        enrolled = directories.enroller.find(issuer="issuing", serial=one.serial_number)
        assert enrolled is not None
        with Store.open(directories.folder, write=False) as store:
            row = store.index.enrolled.get(f"certificates/{enrolled.name}")
        assert row is not None
        requests[one.serial_number] = row.request
    assert requests[other.serial_number] == b""
    public = x509.load_der_x509_csr(requests[sound.serial_number]).public_key()
    assert public == key.public_key()


def test_the_root_above_the_intermediates_of_an_imported_authority_is_appended() -> None:
    path = [b"issuing", b"intermediate", b"root"]
    enroller = SimpleNamespace(
        profile=SimpleNamespace(authorities=[SimpleNamespace(name="issuing")]), chain=lambda _name: path
    )
    service: Any = SimpleNamespace(enroller=enroller)
    assert _with_root(service, [b"leaf", *path[:2]]) == [b"leaf", *path]
    assert _with_root(service, [b"leaf", *path]) == [b"leaf", *path]


def test_the_certificate_has_other_names(client: AcmeClient, faults: EnrolmentFaults) -> None:
    _put(faults, "acme-other-names", times=1)
    other, sound = (x509.load_pem_x509_certificate(client.issue(NAME)) for _ in range(2))
    assert _alternative_names(other) == ["wrong-host.test"]
    assert _alternative_names(sound) == [NAME]


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)


def test_the_certificate_is_shorter_than_that_of_the_template(
    client: AcmeClient, faults: EnrolmentFaults
) -> None:
    _put(faults, "acme-shorter", times=1, valid="2h")
    short, sound = (x509.load_pem_x509_certificate(client.issue(NAME)) for _ in range(2))
    assert short.not_valid_after_utc - short.not_valid_before_utc == timedelta(hours=2)
    assert sound.not_valid_after_utc - sound.not_valid_before_utc == timedelta(days=90)


def test_the_list_of_orders_has_a_page_for_each_order(client: AcmeClient, faults: EnrolmentFaults) -> None:
    orders = [client.order(NAME).headers["Location"] for _ in range(2)]
    url = client.get(client.kid)["orders"]
    assert client.get(url)["orders"] == orders
    _put(faults, "acme-orders-paged")
    first = client.post(url)
    assert first.json()["orders"] == orders[:1]
    following = first.headers["Link"].partition(", <")[2].partition(">")[0]
    assert client.get(following)["orders"] == orders[1:]


def test_a_fault_of_the_catalog_is_issued_through_the_protocol(
    client: AcmeClient, faults: EnrolmentFaults
) -> None:
    _put(faults, "expired", times=1, identifier=NAME, by="2d")
    sound = x509.load_pem_x509_certificate(client.issue("b.contoso.test"))
    expired = x509.load_pem_x509_certificate(client.issue(NAME))
    assert expired.not_valid_after_utc < sound.not_valid_before_utc


def test_a_slow_response_is_correct(client: AcmeClient, faults: EnrolmentFaults) -> None:
    faults.put({"acme-slow": {"times": "1", "by": "1s"}})
    assert client.order(NAME).status_code == 201
    assert faults.all() == ()


def test_every_fault_of_acme_has_a_test() -> None:
    text = Path(__file__).read_text("utf-8")
    rates = {f"acme-429-{one}" for one in ("seconds", "date", "past", "absent")}
    missing = {one for one in ENROLMENT_FAULTS if one.startswith("acme-") and f'"{one}"' not in text}
    assert missing == rates
