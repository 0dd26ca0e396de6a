"""Rate limits of EST and SCEP: a client in a loop, and a client that guesses a secret, get 429."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from pkigen.enrolment import rate_limits
from pkigen.enrolment.rate_limits import ClientLimits, RateLimit, RateLimited
from pkigen.inspection.artifacts import read
from tests.certification_requests import request
from tests.enrolment.conftest import Lab
from tests.enrolment.scep.client import Device

_MOST = 2


@pytest.fixture(scope="module", autouse=True)
def _low_limits() -> Iterator[None]:
    """Permit two events; the servers of this module start afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limits, "RateLimit", lambda _most, seconds: RateLimit(_MOST, seconds))
        yield


def _url(lab: Lab, protocol: str, template: str = "sensors") -> str:
    services = lab.server.services
    return next(one.url for one in services if (one.template, one.protocol) == (template, protocol))


def _refused(response: httpx.Response, words: str) -> None:
    assert response.status_code == 429, response.text
    assert 0 < int(response.headers["Retry-After"]) <= 600
    assert f"too many {words}" in response.text


def _est(lab: Lab, template: str, name: str, auth: tuple[str, str] | None = None) -> httpx.Response:
    body = base64.b64encode(request(name, [name], encoding=Encoding.DER))
    headers = {"Content-Type": "application/pkcs10"}
    if auth:
        headers["Authorization"] = f"Basic {base64.b64encode(':'.join(auth).encode()).decode()}"
    return lab.client().post(f"{_url(lab, 'est', template)}/simpleenroll", content=body, headers=headers)


def test_est_limits_requests_and_guesses(lab: Lab) -> None:
    names = [f"{number}.contoso.test" for number in range(_MOST + 1)]
    *permitted, last = [_est(lab, "open", name) for name in names]
    assert [one.status_code for one in permitted] == [200] * _MOST
    _refused(last, "requests for certificates")
    *wrong, last = [_est(lab, "sensors", names[0], ("device", "wrong")) for _ in range(_MOST + 1)]
    assert [one.status_code for one in wrong] == [401] * _MOST
    _refused(last, "failed authentications")
    _refused(_est(lab, "sensors", names[0], ("device", "wonderful")), "failed authentications")


@pytest.mark.needs("openssl")
def test_scep_limits_guesses_of_the_challenge(lab: Lab) -> None:
    device, url = Device("a.contoso.test"), _url(lab, "scep")
    client = lab.client()
    recipient, *_ = _certificates(client.get(url, params={"operation": "GetCACert"}))
    message = device.message(recipient, device.request("wrong"))
    operation = {"operation": "PKIOperation"}
    answers = [client.post(url, params=operation, content=message) for _ in range(_MOST + 1)]
    assert [one.status_code for one in answers[:-1]] == [200] * _MOST
    _refused(answers[-1], "failed authentications")


def _certificates(response: httpx.Response) -> list[bytes]:
    return [one.certificate.der for one in read(response.content, "CA") if one.certificate is not None]


def test_the_limit_is_that_of_a_client_address() -> None:
    limits = ClientLimits()
    for _ in range(_MOST):
        limits.count_request({"client": ("192.0.2.1", 1)})
    with pytest.raises(RateLimited):
        limits.count_request({"client": ("192.0.2.1", 2)})
    limits.count_request({"client": ("192.0.2.2", 1)})
