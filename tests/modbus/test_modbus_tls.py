"""pymodbus communicates over TLS with the certificates of modbus-security; OpenSSL reads the roles."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTlsClient
from pymodbus.exceptions import ModbusException
from pymodbus.server import ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from pkigen import build
from pkigen.environment.environment import Case, Environment, open_environment
from tests.export.conftest import free_port
from tests.tools import run

_OID = "1.3.6.1.4.1.50316.802.1"
_VALUE = 4711


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return open_environment(build("modbus-security", tmp_path_factory.mktemp("modbus")).folder)


def _case(environment: Environment, name: str) -> Case:
    return next(case for case in environment.cases() if case.name == name)


def _context(environment: Environment, name: str | None, *, server: bool) -> ssl.SSLContext:
    """Return a context that requires a certificate of the peer, and presents that of ``name``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(environment.trust)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # the server rejects a client during the handshake
    if name is not None:
        case = _case(environment, name)
        context.load_cert_chain(case.certificate.parent / "fullchain.pem", case.key)
    return context


async def _read(environment: Environment, server: str, client: str | None) -> int | None:
    """Read a register over mutual TLS; None if there is no connection or no response."""
    port = free_port()
    device = SimDevice(1, simdata=[SimData(0, values=_VALUE, datatype=DataType.REGISTERS)])
    context = _context(environment, server, server=True)
    listener = ModbusTlsServer(device, address=("127.0.0.1", port), sslctx=context)
    stop: Callable[[], Awaitable[None]] = listener.shutdown
    await listener.serve_forever(background=True)
    connection = AsyncModbusTlsClient(
        "127.0.0.1",
        port=port,
        sslctx=_context(environment, client, server=False),
        reconnect_delay=0,
        retries=0,
        timeout=2,
    )
    try:
        if not await connection.connect():
            return None
        response = await connection.read_holding_registers(0, count=1, device_id=1)
        return None if response.isError() else response.registers[0]
    except (ModbusException, OSError):
        return None
    finally:
        connection.close()
        await stop()


@pytest.mark.parametrize(
    ("server", "client", "value"),
    [
        ("plc-1", "hmi-1", _VALUE),
        ("plc-2", "engineering-1", _VALUE),
        ("plc-1", None, None),
        ("plc-1", "plc-2", None),
        ("hmi-1", "engineering-1", None),
    ],
)
def test_only_a_server_and_a_client_with_their_certificates_communicate(
    environment: Environment, server: str, client: str | None, value: int | None
) -> None:
    assert asyncio.run(_read(environment, server, client)) == value


def _roles(certificate: Path) -> list[str]:
    """Return the values of the role extension as ``openssl asn1parse`` shows them."""
    lines = run("openssl", "asn1parse", "-in", certificate).splitlines()
    offsets = [
        line.split(":")[0].strip() for previous, line in pairwise(lines) if previous.endswith(f":{_OID}")
    ]
    parsed = (
        run("openssl", "asn1parse", "-in", certificate, "-strparse", offset).strip() for offset in offsets
    )
    return [value.partition("prim: ")[2] for value in parsed]


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("hmi-1", ["UTF8STRING        :Operator"]),
        ("engineering-1", ["UTF8STRING        :Engineer"]),
        ("plc-1", []),
        ("hmi-1.role-missing", []),
        ("hmi-1.one-role-repeated", ["UTF8STRING        :Operator"] * 2),
        ("hmi-1.role-encoding-type", ["OCTET STRING      [HEX DUMP]:DEADBE"]),
    ],
)
def test_openssl_reads_the_role_or_its_defect(environment: Environment, name: str, roles: list[str]) -> None:
    assert _roles(_case(environment, name).certificate) == roles
