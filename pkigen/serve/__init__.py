"""A built environment over HTTP and TLS: what its certificates' URLs promise, and the certificates.

``serve`` and ``serve_tls`` are for programs; ``pkigen serve`` is the same in the foreground.
Importing this package costs nothing: Starlette and uvicorn come in when a server starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["serve", "serve_tls"]


@contextmanager
def serve(folder: str | Path, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the environment in ``folder`` for as long as the ``with`` block runs.

    Gives the server's URL without a trailing slash, e.g. ``http://127.0.0.1:49152``; ``port`` 0 is
    any free one. The server runs in a thread of this process and has ended when the block is left.

    Raises InputError when the folder is no environment, EnvironmentFailure when it cannot listen.
    """
    from pkigen.environment import open_environment
    from pkigen.serve.app import application
    from pkigen.serve.server import background, listen

    app = application(open_environment(Path(folder)))
    with listen(host, port) as listener, background(app, listener):
        yield listener.url


@contextmanager
def serve_tls(
    folder: str | Path, *, host: str = "127.0.0.1", port: int = 0, passphrases: Sequence[bytes] = ()
) -> Iterator[str]:
    """Present every certificate of the environment in ``folder`` as long as the ``with`` block runs.

    Gives the URL of the endpoints' address, e.g. ``https://127.0.0.1:49152``; which certificate a client
    gets is for the host name that it asks for to say. ``passphrases`` open keys that the profile put
    under one. Raises as ``serve`` does.
    """
    from pkigen.serve.server import listen
    from pkigen.serve.tls.directory import Directory
    from pkigen.serve.tls.server import background

    directory = Directory(Path(folder), passphrases)
    directory.names()
    with listen(host, port, "https") as listener, background(directory, listener):
        yield listener.url
