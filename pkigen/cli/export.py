"""``pkigen export``."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pkigen.cli._completion import complete_target
from pkigen.cli._console import (
    print_json,
    print_line,
    print_message,
    printable,
    wrap,
)
from pkigen.cli._options import (
    EnvironmentArgument,
    Json,
    Only,
    PassphraseFiles,
    require_choice,
)
from pkigen.cli._report import quantity

if TYPE_CHECKING:
    from pkigen.export import ExportOptions, ExportResult

HELP_ORDER = 130
_MAX_NAMES = 3


def export(
    env: Annotated[Path | None, EnvironmentArgument] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="FORMAT", help="Target format; see --list.", autocompletion=complete_target
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Directory to write to (default: ENV/export/FORMAT)."),
    ] = None,
    only: Only = None,
    fleet: Annotated[
        str | None, typer.Option("--fleet", metavar="NAME", help="Fleet to export for a load tool.")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "--count", metavar="N", min=1, help="With --fleet: number of certificates (default: all)."
        ),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="IP address that the servers listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            metavar="PORT",
            min=1,
            max=65535,
            help="HTTP port for CRLs (default: the port of base_url; 8080 if base_url is https).",
        ),
    ] = None,
    tls_port: Annotated[
        int | None,
        typer.Option(
            "--tls-port",
            metavar="PORT",
            min=1,
            max=65535,
            help="Port of the certificates (default: the server's usual port; 8443 for HTTP servers).",
        ),
    ] = None,
    client_auth: Annotated[
        bool,
        typer.Option(
            "--client-auth",
            help="Require a client certificate that is not revoked (nginx, apache, haproxy, stunnel; other"
            " servers always do).",
        ),
    ] = False,
    passphrase_file: PassphraseFiles = None,
    new_passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--new-passphrase-file",
            metavar="FILE",
            help="File whose first line is the password of the key stores (default: changeit).",
        ),
    ] = None,
    templates: Annotated[
        Path | None,
        typer.Option(
            "--templates", metavar="DIR", help="Directory whose templates override the shipped ones by name."
        ),
    ] = None,
    show_template: Annotated[
        str | None,
        typer.Option("--show-template", metavar="NAME", help="Print a shipped template and exit."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Overwrite files that were changed or not written by pkigen."),
    ] = False,
    list_: Annotated[
        bool, typer.Option("--list", help="List the formats and their templates, and exit.")
    ] = False,
    json: Json = False,
) -> None:
    """Write configuration and files for other programs.

    Faulty certificates are exported unmodified. The command lists the certificates that the target cannot
    load, with the reason. A second run writes changed files, deletes obsolete ones, and does not touch files
    that it did not write. Private keys have mode 0600.

    \b
    Examples:
      pkigen export --list
      pkigen export out/defender-iot --to nginx --client-auth
      pkigen export out/fleet --fleet meter --to jmeter --count 100
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
        client_auth=client_auth,
        passphrases=tuple(map(read_passphrase, passphrase_file or ())),
        new_passphrase=b"changeit" if new_passphrase_file is None else read_passphrase(new_passphrase_file),
        fleet=fleet,
        count=count,
    )
    _print_result(_run_export(env, to, options), json)


def _run_export(env: Path | None, to: str, options: ExportOptions) -> ExportResult:
    from pkigen.environment.environment import open_environment
    from pkigen.export import FLEET_TARGETS, TARGETS
    from pkigen.export import export as write_export

    targets = TARGETS if options.fleet is None else FLEET_TARGETS
    if not to:
        raise typer.BadParameter(f"specify a format: {', '.join(targets)}", param_hint="'--to'")
    if options.fleet is None and to in FLEET_TARGETS and to not in TARGETS:
        raise typer.BadParameter(f"{to} exports a fleet: add --fleet NAME", param_hint="'--to'")
    target = targets[require_choice(to, list(targets), "--to")]
    if env is None:
        raise typer.BadParameter("specify the environment to export", param_hint="'ENV'")
    return write_export(open_environment(env), target, options)


def _list(json: bool) -> None:
    from pkigen.export import FLEET_TARGETS, TARGETS

    every = [(t, fleets) for fleets in (False, True) for t in (FLEET_TARGETS if fleets else TARGETS).values()]
    if json:
        print_json(
            [
                {"name": t.name, "says": t.says, "templates": t.templates, "fleets": fleets}
                for t, fleets in every
            ]
        )
        return
    width = max(len(target.name) for target, _ in every) + 2
    for target, fleets in every:
        says = f"with --fleet: {target.says}" if fleets else target.says
        print_line(wrap(f"{target.name:<{width}}{says}", width))
        if target.templates:
            print_line(wrap(f"{'':<{width}}templates: {', '.join(target.templates)}", width + 11))


def _print_result(result: ExportResult, json: bool) -> None:
    if json:
        print_json(_result_json(result))
        return
    print_line(printable(str(result.folder)))
    files = result.files
    changes = f"{len(files.written):,} written, {len(files.unchanged):,} unchanged"
    deleted = f", {len(files.removed):,} deleted" if files.removed else ""
    print_message(f"{quantity(len(result.certificates), 'certificate')}. Files: {changes}{deleted}.")
    names_by_reason = defaultdict[str, list[str]](list)
    for name, reason in result.left_out.items():
        names_by_reason[reason].append(name)
    for reason, names in names_by_reason.items():
        examples = ", ".join(names[:_MAX_NAMES]) + (", ..." if len(names) > _MAX_NAMES else "")
        print_message(wrap(f"Not exported, {len(names):,}: {reason} ({examples})", 2))
    for note in result.notes:
        print_message(wrap(f"Note: {note}", 2))
    if result.target.start:
        print_message(f"Next, in that directory: {result.target.start}")


def _result_json(result: ExportResult) -> dict[str, object]:
    files = result.files
    return {
        "target": result.target.name,
        "folder": str(result.folder),
        "files": [
            {"path": path, "secret": path in result.secret}
            for path in sorted((*files.written, *files.unchanged))
        ],
        "written": files.written,
        "removed": files.removed,
        "certificates": result.certificates,
        "left_out": result.left_out,
        "notes": result.notes,
        "start": result.target.start,
    }
