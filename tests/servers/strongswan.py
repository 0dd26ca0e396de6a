"""strongSwan: two daemons on this machine, one of which is the client."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pkigen.export import ExportResult
from tests.export.conftest import free_port
from tests.servers.program import PATIENCE, Client, Program

_PLUGINS = (
    "random nonce openssl kdf hmac sha2 aes x509 revocation constraints pubkey pkcs1 pkcs8 pem vici"
    " kernel-netlink socket-default"
)


class StrongSwan(Program):
    """strongSwan, without traffic: both daemons negotiate the IKE SA only."""

    tool, target, ready = "swanctl", "strongswan", "successfully loaded 1 connections"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run both daemons, and load NAME.conf into the first one."""
        commands = []
        for name, own in (("gateway", port), ("peer", free_port())):
            settings = done.folder / f"{name}.strongswan"
            settings.write_text(
                f"charon-systemd {{\n load = {_PLUGINS}\n port = {free_port()}\n port_nat_t = {own}\n"
                f" interfaces_use = lo\n install_routes = no\n"
                f" plugins {{ vici {{ socket = {_socket(done.folder, name)} }} }}\n}}\n"
            )
            commands.append(f"STRONGSWAN_CONF={settings} charon-systemd &")
        waits = [
            f"until [ -S {done.folder / name}.vici ]; do sleep 0.1; done" for name in ("gateway", "peer")
        ]
        gateway = _socket(done.folder, "gateway")
        load = f"SWANCTL_DIR=$PWD swanctl --load-all --file {server}.conf --uri {gateway}"
        return ["sh", "-c", "\n".join([*commands, *waits, load, "wait"])]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the client can establish the IKE SA."""
        uri = ("--uri", _socket(client.directory, "peer"))
        name = client.name.replace(".", "-")
        load = ["swanctl", "--load-all", "--file", f"{client.name}.client.conf", *uri]
        initiate = ["swanctl", "--initiate", "--ike", name, "--timeout", str(PATIENCE), *uri]
        return all(_succeeds_in(client.directory, command) for command in (load, initiate))


def _socket(folder: Path, name: str) -> str:
    return f"unix://{folder / name}.vici"


def _succeeds_in(folder: Path, command: list[str]) -> bool:
    environ = {**os.environ, "SWANCTL_DIR": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, check=False, timeout=2 * PATIENCE
    )
    return done.returncode == 0
