"""What a client can use up: accounts, orders, validations, nonces, and bytes of a request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from pkigen.clock import utc_now
from pkigen.enrolment.acme import accounts, orders
from pkigen.enrolment.acme.rate_limits import RateLimits
from pkigen.enrolment.acme.service import AUTHORIZATION, ORDER, Nonces, timestamp
from pkigen.enrolment.rate_limits import RateLimit, RateLimited
from pkigen.serve.control.request_log import RequestLog
from tests.enrolment.acme.client import AcmeClient
from tests.enrolment.acme.conftest import Directories

NAME = "a.contoso.test"


def _limited(response: httpx.Response) -> str:
    assert response.status_code == 429, response.text
    assert int(response.headers["Retry-After"]) > 0
    assert response.json()["type"].endswith(":rateLimited")
    return str(response.json()["detail"])


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the rate limits of directories that are opened afterwards."""

    def set_limits(**most: int) -> None:
        def init(self: RateLimits) -> None:
            for name in ("accounts", "orders", "failures"):
                setattr(self, name, RateLimit(most.get(name, 1000), 600))

        monkeypatch.setattr(RateLimits, "__init__", init)

    return set_limits


def test_accounts_are_limited_by_time(start: Callable[..., Directories], limits: Callable[..., None]) -> None:
    limits(accounts=2)
    directories = start()
    first = directories.client()
    directories.client()
    assert "new accounts" in _limited(directories.client(register=False).register())
    first.kid = ""
    assert first.register().status_code == 200  # an existing account is not a new one


def test_orders_of_an_account_are_limited_by_time(
    start: Callable[..., Directories], limits: Callable[..., None]
) -> None:
    limits(orders=2)
    directories = start()
    client, other = directories.client(), directories.client()
    assert [client.order(NAME).status_code for _ in range(2)] == [201, 201]
    assert "new orders" in _limited(client.order(NAME))
    assert other.order(NAME).status_code == 201


def test_failed_validations_of_a_name_are_limited_by_time(
    start: Callable[..., Directories], limits: Callable[..., None]
) -> None:
    limits(failures=1)
    client = start().client()
    order = client.order(NAME).json()
    challenge = client.challenge(order["authorizations"][0])
    client.post(challenge["url"], {})
    assert client.finished(order["authorizations"][0], "pending")["status"] == "invalid"
    assert f"failed validations of {NAME}" in _limited(client.order(f"*.{NAME}"))
    assert client.order("b.contoso.test").status_code == 201


def test_a_rate_limit_ends_and_forgets_old_keys() -> None:
    now = [0.0]
    limit = RateLimit(10, 100, lambda: now[0])
    for _ in range(10):
        limit.check("a", "events")
        limit.count("a")
    with pytest.raises(RateLimited) as refused:
        limit.check("a", "events")
    assert refused.value.headers is not None
    wait = int(refused.value.headers["Retry-After"])
    now[0] += wait
    limit.check("a", "events")
    for number in range(20_000):
        limit.count(str(number))
    assert len(limit._used) == 10_000


def test_open_orders_are_limited_until_they_expire(
    client: AcmeClient, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "MOST_OPEN_ORDERS", 2)
    assert [client.order(NAME).status_code for _ in range(2)] == [201, 201]
    assert "unfinished orders" in _limited(client.order(NAME))
    state, past = directories.state, timestamp(utc_now() - timedelta(seconds=1))
    for order_id, data in state.all(ORDER):
        state.put(ORDER, order_id, {**data, "expires": past}, owner=data["account"])
    assert client.order(NAME).status_code == 201
    assert (state.count(ORDER), state.count(AUTHORIZATION)) == (1, 1)  # the expired ones are deleted


def test_a_restart_deletes_expired_orders_and_keeps_those_with_a_certificate(
    start: Callable[..., Directories],
) -> None:
    before = start()
    client = before.client()
    client.issue(NAME)
    client.order("b.contoso.test")
    past = timestamp(utc_now() - timedelta(seconds=1))
    for order_id, data in before.state.all(ORDER):
        before.state.put(ORDER, order_id, {**data, "expires": past}, owner=data["account"])
    [(_, remaining)] = start().state.all(ORDER)
    assert remaining["status"] == "valid"


def test_the_number_of_accounts_is_limited(
    directories: Directories, client: AcmeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_MOST_ACCOUNTS", 1)
    assert "permits no more" in _limited(directories.client(register=False).register())


def test_sizes_are_limited(client: AcmeClient) -> None:
    large = client.order(NAME, profile="x" * 70_000)
    assert (large.status_code, large.json()["status"]) == (413, 413)
    names = [f"a{number}.contoso.test" for number in range(101)]
    assert "1 to 100 identifiers" in client.order(*names).json()["detail"]
    assert "must be a host name" in client.order(f"{'a' * 64}.contoso.test").json()["detail"]
    update = client.post(client.kid, {"contact": ["mailto:a@contoso.test"] * 11})
    assert "up to 10 strings" in update.json()["detail"]


def test_nonces_and_the_request_log_do_not_grow() -> None:
    nonces, log = Nonces(), RequestLog()
    first = nonces.new()
    for _ in range(25_000):
        nonces.new()
    assert len(nonces._unused) == 20_000
    assert not nonces.use(first)
    scope = {"raw_path": b"/" + b"a" * 9000, "query_string": b"", "method": "GET"}
    for _ in range(1500):
        log.note(scope, 200)
    assert len(log.since(0)) == 1000
    assert len(log.since(0)[0].path) <= 512
