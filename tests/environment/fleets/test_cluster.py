"""Shards built by a real Dask cluster, of which a worker is killed, and written to an S3 server."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import load_pem_x509_certificate

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.fleets.cluster import check_scheduler
from pkigen.environment.fleets.read import extract, members
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.profile import load
from tests.environment.fleets.profiles import build_fleet, rows, with_fleet

COUNT, SHARD = 240, 20


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "tcp://scheduler.test:8786"])
def test_a_scheduler_on_another_machine_needs_tls(address: str) -> None:
    with pytest.raises(InputError, match="has no TLS"):
        check_scheduler(address, insecure=False)


@pytest.mark.parametrize("address", ["10.0.0.1:8786", "http://127.0.0.1:8786", "tls://host"])
def test_what_is_no_address_of_a_scheduler_is_an_error(address: str) -> None:
    with pytest.raises(InputError, match=r"not an address such as tls://HOST:8786"):
        check_scheduler(address, insecure=True)


def test_addresses_that_are_permitted() -> None:
    pytest.importorskip("distributed")
    check_scheduler("tls://10.0.0.1:8786", insecure=False)
    check_scheduler("tcp://[::1]:8786", insecure=False)
    check_scheduler("tcp://10.0.0.1:8786", insecure=True)


def test_a_scheduler_that_does_not_answer_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("pkigen.environment.fleets.cluster._TIMEOUT", "100ms")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    options = BuildOptions(scheduler=f"tcp://127.0.0.1:{port}")
    with pytest.raises(EnvironmentFailure, match="cannot be reached"):
        build(load(with_fleet()), tmp_path, options)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A scheduler with two worker processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as running:
        yield running


class _Killer:
    """Kills a worker of a cluster when the first shard is in place."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.killed = 0

    def start(self, total: int, what: str) -> None:
        """Do nothing."""

    def advance(self, steps: int) -> None:
        """Kill the first worker, once."""
        if steps == SHARD and not self.killed:
            nanny = next(iter(self._cluster.workers.values()))
            self.killed = nanny.pid
            os.kill(self.killed, signal.SIGKILL)

    def finish(self) -> None:
        """Do nothing."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("share_key", [True, False])
def test_the_shard_of_a_killed_worker_is_built_again(cluster: Any, tmp_path: Path, share_key: bool) -> None:
    document, killer = with_fleet(COUNT, SHARD), _Killer(cluster)
    document["authorities"]["issuing"]["share_key"] = str(share_key).lower()
    options = BuildOptions(scheduler=cluster.scheduler_address)
    result = build(load(document), tmp_path, options, killer)
    built = rows(result.folder)
    assert killer.killed
    assert len(built) == len({row["serial"] for row in built.values()}) == COUNT
    issuer = load_pem_x509_certificate((result.folder / "authorities/issuing/issuing.crt").read_bytes())
    for row in built.values():
        load_pem_x509_certificate(row["certificate"].encode()).verify_directly_issued_by(issuer)
    sent = [note for note in result.summary.notes if "private key of issuing was sent" in note]
    assert bool(sent) is share_key
    assert build(load(document), tmp_path, options).summary.up_to_date


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_builds_what_a_seed_determines(cluster: Any, tmp_path: Path) -> None:
    options = BuildOptions(scheduler=cluster.scheduler_address, seed="x")
    remote = build(load(with_fleet()), tmp_path / "a", options).folder
    assert rows(remote) == rows(build_fleet(tmp_path / "b", seed="x").folder)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An S3 server on loopback with a bucket; yields a client of it."""
    moto, boto3 = pytest.importorskip("moto.server"), pytest.importorskip("boto3")
    pytest.importorskip("s3fs")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket="fleets")
    try:
        yield client
    finally:
        server.stop()


@pytest.mark.filterwarnings("ignore")
def test_shards_are_written_to_s3(bucket: Any, tmp_path: Path) -> None:
    options = BuildOptions(destination="s3://fleets/load", jobs=1)
    result = build(load(with_fleet()), tmp_path, options)
    keys = [one["Key"] for one in bucket.list_objects_v2(Bucket="fleets")["Contents"]]
    assert keys == [f"load/fleets/meter/jsonl/meter-{n}.jsonl" for n in ("01-08", "09-16", "17-20")]
    assert any("they leave this machine" in note for note in result.summary.notes)
    assert [path.name for path in (result.folder / "fleets/meter").iterdir()] == ["chain.pem"]
    assert extract(result.folder, "meter", 12).member.name == "meter-12"
    assert len(list(members(result.folder, "meter"))) == 20
    assert build(load(with_fleet()), tmp_path, BuildOptions()).summary.up_to_date
    bucket.delete_object(Bucket="fleets", Key=keys[1])
    assert build(load(with_fleet()), tmp_path, options).summary.in_shards == 8
    build(load(with_fleet(count=8)), tmp_path, options)
    assert len(bucket.list_objects_v2(Bucket="fleets")["Contents"]) == 1


def test_a_destination_that_no_library_knows_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(InputError, match="is not a URL that fsspec knows"):
        build(load(with_fleet()), tmp_path, BuildOptions(destination="foo://bar"))
    with pytest.raises(InputError, match="is not a URL such as"):
        build(load(with_fleet()), tmp_path, BuildOptions(destination="/tmp/x"))  # noqa: S108
    assert not (tmp_path / "lab").exists()
