"""Connects asyncua clients to asyncua servers: asyncua_peers.py DIRECTORY PORT SERVER/CLIENT...

DIRECTORY is an export for asyncua. Each application trusts what its PKI directory trusts. Prints one line for
each pair: the pair, and `accepted` or the reason for the rejection. The interpreter is that of a virtual
environment with asyncua, without pkigen.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from itertools import groupby
from pathlib import Path

from asyncua import Client, Server, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions

SERVER_URI, CLIENT_URI = "urn:plant.example:Press:Server", "urn:plant.example:Historian"
logging.disable(logging.CRITICAL)


async def validator(pki: Path, peer: CertificateValidatorOptions) -> CertificateValidator:
    trusted = [pki / "trusted/certs", pki / "issuer/certs"]
    store = TrustStore(trusted, [pki / "trusted/crl", pki / "issuer/crl"])
    await store.load()
    return CertificateValidator(CertificateValidatorOptions.TRUSTED_VALIDATION | peer, store)


async def start(folder: Path, port: int, name: str) -> Server:
    own = folder / name
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    await server.set_application_uri(SERVER_URI)
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    await server.load_certificate(own / f"own/certs/{name}.der")
    await server.load_private_key(own / f"own/private/{name}.pem")
    server.set_certificate_validator(await validator(own, CertificateValidatorOptions.PEER_CLIENT))
    await server.start()
    return server


async def connect(folder: Path, port: int, server: str, name: str) -> None:
    pki = folder / name
    client = Client(f"opc.tcp://127.0.0.1:{port}/", timeout=20)
    client.application_uri = CLIENT_URI
    client.certificate_validator = await validator(pki, CertificateValidatorOptions.PEER_SERVER)
    await client.set_security(
        SecurityPolicyBasic256Sha256,
        pki / f"own/certs/{name}.der",
        pki / f"own/private/{name}.pem",
        server_certificate=folder / f"{server}/own/certs/{server}.der",
        mode=ua.MessageSecurityMode.SignAndEncrypt,
    )
    async with client:
        await client.get_node(ua.NodeId(ua.ObjectIds.Server_ServerStatus_State)).read_value()


def report(pair: str, error: Exception | None) -> None:
    verdict = f"{type(error).__name__}: {error}".replace("\n", " ") if error else "accepted"
    print(f"{pair} {verdict}", flush=True)


async def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    pairs = [tuple(pair.split("/")) for pair in sys.argv[3:]]
    for server_name, group in groupby(pairs, key=lambda pair: pair[0]):
        names = [client for _, client in group]
        try:
            server = await start(folder, port, server_name)
        except Exception as error:  # noqa: BLE001  an application that does not start is rejected
            for name in names:
                report(f"{server_name}/{name}", error)
            continue
        for name in names:
            try:
                await connect(folder, port, server_name, name)
            except Exception as error:  # noqa: BLE001  asyncua raises errors of many kinds
                report(f"{server_name}/{name}", error)
            else:
                report(f"{server_name}/{name}", None)
        await server.stop()


asyncio.run(main())
