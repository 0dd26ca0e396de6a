"""The least that a fleet of certificates costs: its keys, its signatures, and their PEM.

    python -m benchmarks.bare fresh|pool KIND COUNT

All cores, no profile, no disk, no state, nothing that a user would want beyond the certificates.
Each certificate has the extensions that pkigen gives it. RSA keys are made in threads, for their
generation leaves the interpreter free; all else is spread over processes. Prints the seconds that
the work itself took, without the start of Python, the imports and the making of the pool.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_POOL = 32


def cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def new_key(kind: str) -> Key:
    """A fresh key: rsa-BITS or ec-p256."""
    if kind == "ec-p256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, int(kind.removeprefix("rsa-")))


def certificate(issuer: Key, key: Key, number: int) -> bytes:
    """A sensor's certificate, PEM."""
    host = f"sensor-{number:05}.contoso.test"
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=isinstance(key, rsa.RSAPrivateKey),
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    crl = x509.UniformResourceIdentifier("http://127.0.0.1:8080/crl/issuing.crl")
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(host))
        .issuer_name(_name("Contoso OT Issuing CA"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=397))
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), False)
        .add_extension(x509.CRLDistributionPoints([x509.DistributionPoint([crl], None, None, None)]), False)
    )
    return builder.sign(issuer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def private_pem(key: Key) -> bytes:
    """A key as it is written to disk."""
    pkcs8, open_ = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, pkcs8, open_)


def _name(common_name: str) -> x509.Name:
    parts = (
        (NameOID.COUNTRY_NAME, "US"),
        (NameOID.ORGANIZATION_NAME, "Contoso Inc."),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "Contoso Labs"),
        (NameOID.COMMON_NAME, common_name),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def main(keys: str, kind: str, count: int) -> None:
    """Make ``count`` certificates, and keys for them unless they come from a pool."""
    pool = [new_key(kind) for _ in range(_POOL)] if keys == "pool" else []
    start = time.perf_counter()
    if kind.startswith("rsa-") and not pool:
        _in_threads(kind, count)
    else:
        _in_processes(new_key(kind), kind, pool, count)
    print(time.perf_counter() - start)


def _in_threads(kind: str, count: int) -> None:
    with ThreadPoolExecutor(cores()) as threads:
        made = list(threads.map(new_key, [kind] * count))
        list(threads.map(partial(certificate, made[0]), made, range(count)))
        list(threads.map(private_pem, made))


def _in_processes(issuer: Key, kind: str, pool: list[Key], count: int) -> None:
    def share(numbers: range) -> None:
        for number in numbers:
            key = pool[number % len(pool)] if pool else new_key(kind)
            certificate(issuer, key, number)
            if not pool:
                private_pem(key)

    # Forked: the workers have the keys already, which cannot be sent to another process.
    fork = get_context("fork")
    workers = [fork.Process(target=share, args=(range(n, count, cores()),)) for n in range(cores())]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode:
            sys.exit(f"a worker ended with {worker.exitcode}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
