"""Builds shards on the workers of a Dask scheduler.

The key of an authority reaches the workers only with ``share_key: true``. For other authorities, the workers
generate the keys and encode the certificates, and this process signs them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from ipaddress import ip_address
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from pkigen.environment.fleets.remote import upload
from pkigen.environment.fleets.worker import (
    ShardTask,
    ShardWorker,
    StagedFile,
    UnsignedCertificate,
    describe_file,
    shard_url,
    write_shard,
)
from pkigen.errors import EnvironmentFailure, InputError, PkigenError
from pkigen.store.layout import STAGING, STATE

_TASKS_PER_WORKER = 2
_TIMEOUT = "10s"


@dataclass(frozen=True)
class ShardContent:
    """A file of a shard that a worker wrote: its format and its content."""

    format: str
    data: bytes


def check_scheduler(address: str, *, insecure: bool) -> None:
    """Raise InputError for an address without TLS on another machine, and if Dask is not installed."""
    url = urlsplit(address)
    if url.scheme not in ("tcp", "tls") or not url.hostname or not url.port:
        raise InputError(f"--scheduler '{address}' is not an address such as tls://HOST:8786")
    if url.scheme == "tcp" and not _is_loopback(url.hostname) and not insecure:
        raise InputError(
            f"{address} has no TLS: private keys would cross the network unencrypted, and anyone could run "
            "code on the workers. Use tls://, or permit it with --insecure-scheduler"
        )
    _distributed()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _distributed() -> Any:
    try:
        return import_module("distributed")
    except ImportError as error:
        raise InputError("--scheduler needs a library: pip install 'pkigen[dask]'") from error


def run_on_cluster(
    worker: ShardWorker, tasks: Iterator[ShardTask], address: str, shared: frozenset[str], destination: str
) -> Iterator[tuple[ShardTask, list[StagedFile]]]:
    """Build shards on a cluster; ``shared`` are the ids of authorities whose keys the workers may have.

    With a ``destination`` (URL), the workers write the shards of these authorities there. The scheduler
    builds the shard of a worker that died again; what that worker had signed was published nowhere.
    """
    distributed = _distributed()
    with _connected(distributed, address) as client:

        def submit(task: ShardTask) -> Any:
            # Each task contains all that it needs: what is scattered is lost with the worker that has it.
            fleet = task.row.fleet
            is_shared = worker.templates[fleet].issuer_id in shared
            remote = worker.for_fleet(fleet, with_key=is_shared)
            if not is_shared:
                return client.submit(_prepare, remote, task, pure=False)
            return client.submit(_build, remote, task, destination, pure=False)

        count = _TASKS_PER_WORKER * max(len(client.scheduler_info()["workers"]), 1)
        running = {submit(task): task for task in islice(tasks, count)}
        completed = distributed.as_completed(running, loop=client.loop)
        for future in completed:
            task = running.pop(future)
            result = _result(future, task)
            for following in islice(tasks, 1):
                added = submit(following)
                running[added] = following
                completed.add(added)
            yield task, _staged(worker, task, result)


def _result(future: Any, task: ShardTask) -> Any:
    try:
        return future.result()
    except PkigenError:
        raise
    except Exception as error:
        where = f"{task.row.name(task.row.first)} to {task.row.name(task.row.last)}"
        raise EnvironmentFailure(
            f"the cluster could not build {where}: {type(error).__name__}: {error}. The workers need this "
            "version of pkigen and its dependencies; run the build again to resume"
        ) from error


def _staged(worker: ShardWorker, task: ShardTask, result: Any) -> list[StagedFile]:
    """Return the files of a shard, which this process signs or only stores."""
    if result and isinstance(result[0], StagedFile):
        return list(result)
    if result and isinstance(result[0], ShardContent):
        staged = []
        for content in result:
            path = worker.issuance.folder / STATE / STAGING / secrets.token_hex(12)
            path.touch(mode=0o600, exist_ok=False)
            path.write_bytes(content.data)
            staged.append(describe_file(content.format, path))
        return staged
    return worker.build(task, prepared=result)


def _prepare(worker: ShardWorker, task: ShardTask) -> list[list[UnsignedCertificate]]:
    """Return the keys and the certificates of a shard, not signed."""
    return list(worker.prepare(task))


def _build(worker: ShardWorker, task: ShardTask, destination: str) -> list[StagedFile] | list[ShardContent]:
    """Return the files of a shard, or write them to a URL."""
    template = worker.templates[task.row.fleet]
    with TemporaryDirectory(prefix="pkigen-") as folder:
        paths = {name: Path(folder) / name for name in template.formats}
        write_shard(paths, template, worker.members(task))
        if not destination:
            return [ShardContent(name, path.read_bytes()) for name, path in paths.items()]
        written = []
        for name, path in paths.items():
            url = shard_url(destination, task.row, name)
            upload(path, url)
            written.append(replace(describe_file(name, path), path=url))
        return written


@contextmanager
def _connected(distributed: Any, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=_TIMEOUT, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise EnvironmentFailure(f"the scheduler {address} cannot be reached: {error}") from error
    try:
        yield client
    finally:
        client.close()
