"""The command line. One file a command, and here the one place where errors end.

Exit codes: 0 done, nothing wrong; 1 findings, refused, or differences; 2 usage or a wrong input
file; 3 a failure of the environment. Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from pkigen.errors import PkigenError

__all__ = ["main"]

_INTERRUPTED = 128 + 2
_READER_GONE = 128 + 13


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line, given without the program's name; the exit code. Raises nothing."""
    from pkigen.cli._console import escape_unencodable_characters, print_message

    escape_unencodable_characters()
    try:
        code = _run(sys.argv[1:] if arguments is None else list(arguments))
        if sys.stdout is not None:
            sys.stdout.flush()
    except PkigenError as error:
        print_message(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        code = _READER_GONE
    except OSError as error:
        print_message(f"pkigen: {_words(error)}")
        return 3
    except BaseException as error:  # noqa: BLE001  a panic in native code is no Exception
        _report_bug(error)
        return 3
    if code == _INTERRUPTED:
        print_message("\nInterrupted." if sys.stderr.isatty() else "Interrupted.")
    if code == _READER_GONE:
        _leave_quietly()
    return code


def _run(arguments: list[str]) -> int:
    """What the command says; typer itself ends every command line by leaving the program."""
    from typer.main import get_command

    from pkigen.cli._app import app

    try:
        get_command(app).main(arguments, prog_name="pkigen")
    except SystemExit as end:
        # A reader that went away is a failure like any other to typer, and its code is taken here.
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _words(error: OSError) -> str:
    subject = f"{error.filename}: " if error.filename else ""
    return f"{subject}{error.strerror or type(error).__name__}"


def _report_bug(error: BaseException) -> None:
    """Where it happened, not what it says: a message of unknown origin may hold anything."""
    from pkigen.cli._console import print_message

    if os.environ.get("PKIGEN_DEBUG") == "1":
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    print_message(
        f"pkigen: unexpected {type(error).__name__}{place}. This is a bug in pkigen, not in your files."
    )
    print_message("Please report it with the command line and what PKIGEN_DEBUG=1 makes it print.")


def _leave_quietly() -> None:
    """Nobody reads stdout or stderr any more: what is still in their buffers goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())
