"""``pkigen export``."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pkigen.cli._console import (
    print_json,
    print_line,
    print_message,
    printable,
    wrap,
)
from pkigen.cli._options import (
    Json,
    Only,
    PassphraseFiles,
    require_choice,
)

if TYPE_CHECKING:
    from pkigen.export import Exported, ExportOptions

_MOST_NAMED = 3


def _complete(incomplete: str) -> list[str]:
    from pkigen.export import TARGETS

    return [name for name in TARGETS if name.startswith(incomplete)]


def export(
    env: Annotated[
        Path | None,
        typer.Argument(metavar="ENV", help="A built environment's folder, e.g. out/defender-iot."),
    ] = None,
    to: Annotated[
        str,
        typer.Option("--to", metavar="FORMAT", help="One that --list names.", autocompletion=_complete),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Where to write; ENV/export/FORMAT, if not said."),
    ] = None,
    only: Only = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="The address that servers listen at.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=1, max=65535, help="Their port for CRLs.")
    ] = 8080,
    tls_port: Annotated[
        int, typer.Option("--tls-port", metavar="PORT", min=1, max=65535, help="Their port for TLS.")
    ] = 8443,
    passphrase_file: PassphraseFiles = None,
    new_passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--new-passphrase-file",
            metavar="FILE",
            help="Its first line protects the stores that are written; changeit, if not said.",
        ),
    ] = None,
    templates: Annotated[
        Path | None,
        typer.Option("--templates", metavar="FOLDER", help="Templates that go before shipped ones."),
    ] = None,
    show_template: Annotated[
        str | None,
        typer.Option("--show-template", metavar="NAME", help="Print a shipped template, to start from."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that others wrote, or changed.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="Name the formats, and their templates.")] = False,
    json: Json = False,
) -> None:
    """Write an environment for other programs to use.

    What is wrong with a certificate is exported with it, as far as the format can hold that; those that
    it cannot hold are named with the reason. Run again, it writes what has changed and removes what has
    gone, and leaves files alone that it has not written. Private keys are readable by you alone.

    \b
    Examples:
      pkigen export --list
      pkigen export out/defender-iot --to nginx
      pkigen export out/defender-iot --to java --only 'sensor-*' --out stores
      pkigen export --show-template nginx.conf.j2 > mine/nginx.conf.j2
      pkigen export out/defender-iot --to nginx --templates mine
    """
    from pkigen.export import ExportOptions
    from pkigen.inspection.artifacts import read_passphrase

    if list_:
        _list(json)
        return
    if show_template is not None:
        from pkigen.export import shipped_template

        print_line(shipped_template(show_template).removesuffix("\n"))
        return
    options = ExportOptions(
        out=out,
        only=only,
        templates=templates,
        force=force,
        host=host,
        port=port,
        tls_port=tls_port,
        passphrases=tuple(map(read_passphrase, passphrase_file or ())),
        new_passphrase=b"changeit" if new_passphrase_file is None else read_passphrase(new_passphrase_file),
    )
    _give(_exported(env, to, options), json)


def _exported(env: Path | None, to: str, options: ExportOptions) -> Exported:
    from pkigen.environment.environment import open_environment
    from pkigen.export import TARGETS
    from pkigen.export import export as write

    if not to:
        raise typer.BadParameter(f"say to what: {', '.join(TARGETS)}", param_hint="'--to'")
    target = TARGETS[require_choice(to, list(TARGETS), "--to")]
    if env is None:
        raise typer.BadParameter("say which environment to export", param_hint="'ENV'")
    return write(open_environment(env), target, options)


def _list(json: bool) -> None:
    from pkigen.export import TARGETS

    if json:
        told = [{"name": one.name, "says": one.says, "templates": one.templates} for one in TARGETS.values()]
        print_json(told)
        return
    width = max(map(len, TARGETS)) + 2
    for one in TARGETS.values():
        print_line(wrap(f"{one.name:<{width}}{one.says}", width))
        if one.templates:
            print_line(wrap(f"{'':<{width}}templates: {', '.join(one.templates)}", width + 11))


def _give(done: Exported, json: bool) -> None:
    if json:
        print_json(_told(done))
        return
    print_line(printable(str(done.folder)))
    files = done.files
    changes = f"{len(files.written):,} written, {len(files.unchanged):,} as they were"
    removed = f", {len(files.removed):,} removed" if files.removed else ""
    count = len(done.certificates)
    print_message(f"{count:,} certificate{'s' * (count != 1)}. Files: {changes}{removed}.")
    reasons = defaultdict[str, list[str]](list)
    for name, reason in done.left_out.items():
        reasons[reason].append(name)
    for reason, names in reasons.items():
        few = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
        print_message(wrap(f"Left out, {len(names):,}: {reason} ({few})", 2))
    for note in done.notes:
        print_message(wrap(f"Note: {note}", 2))
    if done.target.start:
        print_message(f"Next, in that folder: {done.target.start}")


def _told(done: Exported) -> dict[str, object]:
    files = done.files
    return {
        "target": done.target.name,
        "folder": str(done.folder),
        "files": [
            {"path": path, "secret": path in done.secret}
            for path in sorted((*files.written, *files.unchanged))
        ],
        "written": files.written,
        "removed": files.removed,
        "certificates": done.certificates,
        "left_out": done.left_out,
        "notes": done.notes,
        "start": done.target.start,
    }
