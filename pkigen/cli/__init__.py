"""The command line: one module per command, and ``main``, which turns every error into an exit code.

Exit codes: 0 success, no problems found; 1 findings, a rejection, or differences; 2 usage error or invalid
input file; 3 system failure. Results go to stdout, everything else goes to stderr.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from pkigen.errors import PkigenError
from pkigen.os_errors import os_error_reason

__all__ = ["main"]

_INTERRUPTED = 128 + 2
_BROKEN_PIPE = 128 + 13


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, given without the program name, and return its exit code; raise nothing."""
    from pkigen.cli._console import escape_unencodable_characters, print_message

    escape_unencodable_characters()
    # Otherwise pydantic reads the metadata of all installed packages, in search of plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        code = _run(sys.argv[1:] if arguments is None else list(arguments))
        if sys.stdout is not None:
            sys.stdout.flush()
    except PkigenError as error:
        print_message(str(error))
        _flush_or_discard()
        return error.exit_code
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        code = _BROKEN_PIPE
    except OSError as error:
        print_message(f"pkigen: {_describe(error)}")
        _flush_or_discard()
        return 3
    except BaseException as error:  # noqa: BLE001  a panic in native code is not an Exception
        _report_bug(error)
        _flush_or_discard()
        return 3
    if code == _INTERRUPTED:
        print_message("\nInterrupted." if sys.stderr.isatty() else "Interrupted.")
        _flush_or_discard()
    if code == _BROKEN_PIPE:
        _discard_output()
    return code


def _run(arguments: list[str]) -> int:
    """Run a command and return its exit code; typer ends every command line with SystemExit."""
    from pkigen.cli._app import command_line, completed_command

    try:
        command_line(arguments or completed_command()).main(arguments, prog_name="pkigen")
    except SystemExit as end:
        # Typer exits with 1 on a broken pipe; raise it again so that main returns 141, as a shell expects.
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _describe(error: OSError) -> str:
    subject = f"{error.filename}: " if error.filename else ""
    return f"{subject}{os_error_reason(error)}"


def _report_bug(error: BaseException) -> None:
    """Print where a bug occurred, but not the exception's message, which could contain a secret."""
    from pkigen.cli._console import print_message

    if os.environ.get("PKIGEN_DEBUG") == "1":
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    kind = type(error).__name__
    print_message(f"pkigen: unexpected {kind}{place}. This is a bug in pkigen, not in your files.")
    print_message(
        "Please report it with the command line and the output of the same command with PKIGEN_DEBUG=1."
    )


def _flush_or_discard() -> None:
    """Flush stdout; discard it if that fails, or Python would exit with 120 and print an exception."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _discard_output()


def _discard_output() -> None:
    """Redirect stdout and stderr to /dev/null: flushing their buffers at exit would fail again."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            os.dup2(null, stream.fileno())
