"""Prints the tables of docs/enrolment/break-my-acme-client.md: what each client does with each fault.

``python -m tests.clients.enrolment.break_clients [CLIENT ...] [FAULT ...]`` runs each client once per fault.
One server serves them all. The faults of renewal information need PKIGEN_CERTBOT, a certbot from PyPI.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from cryptography import x509

from tests.clients.enrolment.acme_clients import Acme, Certbot, Client, Dehydrated, Lego, Uacme, acme_server
from tests.clients.enrolment.test_renewal_information import CertbotFromPypi

CLIENTS: dict[str, type[Client]] = {
    "certbot": Certbot,
    "lego": Lego,
    "uacme": Uacme,
    "dehydrated": Dehydrated,
}
FAULTS: dict[str, dict[str, object]] = {
    "acme-bad-nonce": {"times": 1, "endpoint": "new-order"},
    "acme-nonce-missing": {"times": 1, "endpoint": "new-order"},
    "acme-429-seconds": {"times": 1, "endpoint": "new-order"},
    "acme-429-date": {"times": 1, "endpoint": "new-order"},
    "acme-429-past": {"times": 1, "endpoint": "new-order"},
    "acme-429-absent": {"times": 1, "endpoint": "new-order"},
    "acme-503": {"times": 1, "endpoint": "new-order"},
    "acme-500-after-finalize": {"times": 1},
    "acme-empty-200": {"times": 1, "endpoint": "new-order"},
    "acme-truncated-json": {"times": 1, "endpoint": "new-order"},
    "acme-slow": {"times": 1, "endpoint": "new-order"},
    "acme-wrong-content-type": {"times": 1, "endpoint": "new-order"},
    "acme-location-missing": {"times": 1, "endpoint": "new-order"},
    "acme-directory-unknown-fields": {},
    "acme-external-account-required": {},
    "acme-terms-changed": {"times": 1, "endpoint": "new-order"},
    "acme-processing": {"times": 3},
    "acme-ready-then-invalid": {"times": 1},
    "acme-order-invalid": {"times": 1},
    "acme-order-expired": {"times": 1, "endpoint": "finalize"},
    "acme-account-deactivated": {"times": 1, "endpoint": "new-order"},
    "acme-chain-reversed": {},
    "acme-chain-with-root": {},
    "acme-chain-without-issuer": {},
    "acme-alternate-missing": {},
    "acme-other-names": {},
    "acme-shorter": {},
    "acme-other-key": {},
    "expired": {},
}


RENEWAL_FAULTS: dict[str, tuple[str, ...]] = {
    "acme-window-past": ("acme-window-past",),
    "acme-window-far": ("acme-window-far",),
    "acme-window-inverted": ("acme-window-inverted",),
    "acme-window-moving": ("acme-window-moving",),
    "acme-renewal-info-404": ("acme-renewal-info-404",),
    "acme-renewal-retry-after-missing": ("acme-renewal-retry-after-missing",),
    "acme-replaces-rejected": ("acme-window-past", "acme-replaces-rejected"),
}


def _renewals(acme: Acme, out: Path, fault: str) -> str:
    """Return how often certbot renews a certificate in three runs with a fault."""
    name = f"{fault}.contoso.test"
    client = CertbotFromPypi(acme, out)
    client.first(name)
    serials = [client.serial(name)]
    with ExitStack() as active:
        for own_id in RENEWAL_FAULTS[fault]:
            active.enter_context(acme.enrolment.fault(own_id))
        for _ in range(3):
            try:
                serials.append(client.renew_if_due(name))
            except AssertionError as error:
                sys.stderr.write(f"--- {fault}: {error}\n")
                return "gives up"
    sys.stderr.write(f"--- {fault}:\n{(out / 'logs' / 'letsencrypt.log').read_text('utf-8')[-1500:]}\n")
    return f"renews {len(set(serials)) - 1} times in 3 runs"


def _outcome(acme: Acme, client: Client, name: str, fault: str, options: dict[str, object]) -> str:
    begins = time.monotonic()
    with acme.enrolment.fault(fault, **options):
        try:
            code, output = client.first(name)
        except OSError as error:
            code, output = -1, str(error)
        except Exception as error:  # noqa: BLE001  a timeout is a result
            code, output = -2, type(error).__name__
    seconds = time.monotonic() - begins
    installed = client.certificate(name)
    result = "gives up" if code else "gets a certificate"
    if code == -2:
        result = "does not end within 60 s"
    if installed.exists() and installed.stat().st_size:
        first = x509.load_pem_x509_certificates(installed.read_bytes())[0]
        if f"CN={name}" not in first.subject.rfc4514_string():
            result = "installs the CA certificate"
        elif fault in ("acme-other-key", "acme-other-names", "acme-shorter", "expired") and not code:
            result = "installs it"
    sys.stderr.write(f"--- {type(client).__name__} {fault}: {code} {seconds:.0f} s\n{output[-700:]}\n")
    return f"{result}, {seconds:.0f} s"


def _rows(acme: Acme, out: Path, names: list[str], faults: list[str]) -> Iterator[str]:
    yield "| fault | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for number, fault in enumerate(faults):
        cells = list[str]()
        for name in names:
            directory = out / f"{name}-{number}"
            directory.mkdir()
            client = CLIENTS[name](acme, directory)
            cells.append(_outcome(acme, client, f"{name}-{number}.contoso.test", fault, FAULTS[fault]))
        yield f"| `{fault}` | " + " | ".join(cells) + " |"


def _main(arguments: list[str]) -> None:
    names = [one for one in arguments if one in CLIENTS] or list(CLIENTS)
    chosen = [one for one in arguments if one in (*FAULTS, *RENEWAL_FAULTS)]
    faults = [one for one in FAULTS if one in (chosen or FAULTS)]
    with tempfile.TemporaryDirectory() as text:
        out = Path(text)
        with acme_server(out, "--control-port", "0") as acme:
            for row in _rows(acme, out, names, faults):
                sys.stdout.write(row + "\n")
                sys.stdout.flush()
            for number, fault in enumerate(RENEWAL_FAULTS if os.environ.get("PKIGEN_CERTBOT") else ()):
                if fault in (chosen or RENEWAL_FAULTS):
                    directory = out / f"renewal-{number}"
                    directory.mkdir()
                    sys.stdout.write(f"| `{fault}` | {_renewals(acme, directory, fault)} |\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    _main(sys.argv[1:])
