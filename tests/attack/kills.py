"""Kills commands at counted events: every entity stays complete, and no number is used twice."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from pkigen.cli import main
from tests.attack.commands import run_command
from tests.attack.result import Outcome, outcome

_PROFILE = """
name: killed
defaults: {{key: ec-p256, subject: {{O: Generation {generation}}}}}
authorities:
  root: {{subject: {{CN: Root}}, key: ec-p256}}
  issuing: {{issuer: root, crl: {{delta: 1d}}}}
certificates:
  "host-{{1..{hosts}}}": {{issuer: issuing}}
  client: {{issuer: root}}
"""
_COMMANDS: tuple[tuple[str, ...], ...] = (
    *(("build", "PROFILE", "--out", "OUT", "--force", "--replace-root"),) * 4,
    ("build", "PROFILE", "--out", "OUT", "--force", "--replace-root", "--prune"),
    ("revoke", "ENV", "client"),
    ("unrevoke", "ENV", "client", "--force"),
    ("refresh-crl", "ENV"),
    ("renew", "ENV", "host-1"),
    ("export", "ENV", "--to", "nginx", "--out", "EXPORT", "--force"),
)
_EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "sqlite3.connect")
_MOST_EVENTS = 400


def kills(folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Kill one command for each number, always in the environment that the kill before left."""
    environment, seen = folder / "out/killed", _Numbers()
    for number in numbers:
        rng = random.Random(f"kill {seed} {number}")
        profile = folder / "killed.yaml"
        profile.write_text(_PROFILE.format(generation=number, hosts=rng.choice((2, 4, 7))))
        arguments = _with_paths(rng.choice(_COMMANDS) if environment.exists() else _COMMANDS[0], folder)
        status = _run(arguments, rng.randrange(1, _MOST_EVENTS))
        problem = torn(environment) or seen.repeated(environment)
        if not problem and status not in (-signal.SIGKILL, 0, 2):
            problem = f"ends with {status}"
        if not problem and number % 8 == 7:
            ended = run_command(_with_paths(_COMMANDS[0], folder))
            problem = ended.problem() or ("" if ended.code == 0 else f"no recovery: {ended.err[-300:]}")
            problem = problem or torn(environment) or seen.repeated(environment)
        yield outcome(number, f"{' '.join(arguments[:2])}: {problem}" if problem else "")


def _with_paths(arguments: Iterable[str], folder: Path) -> list[str]:
    out = folder / "out"
    paths = {
        "PROFILE": folder / "killed.yaml",
        "OUT": out,
        "ENV": out / "killed",
        "EXPORT": folder / "export",
    }
    return [str(paths.get(argument, argument)) for argument in arguments]


def _run(arguments: list[str], kill_at: int) -> int:
    """Run a command line in a fork that kills itself at an event; return its exit code or minus a signal."""
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
        remaining = [kill_at]

        def count_event(event: str, _arguments: tuple[object, ...]) -> None:
            if event in _EVENTS:
                remaining[0] -= 1
                if remaining[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count_event)
        os._exit(main(arguments))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def torn(environment: Path) -> str:
    """Return the entities whose certificate, key and chain do not belong together."""
    entities = [*environment.glob("authorities/*"), *environment.glob("certificates/*")]
    return ", ".join(f"{entity.name} is torn" for entity in entities if not _is_complete(entity))


def _is_complete(entity: Path) -> bool:
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    try:
        certificate = x509.load_pem_x509_certificate((entity / f"{entity.name}.crt").read_bytes())
        key = load_pem_private_key((entity / f"{entity.name}.key").read_bytes(), None)
        issuer = x509.load_pem_x509_certificates((entity / "chain.pem").read_bytes())[0]
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001  whatever is wrong, the entity is not complete
        return False
    return key.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form)


class _Numbers:
    """The serial numbers and CRL numbers that were seen, with the digests of what had them."""

    def __init__(self) -> None:
        self._digests = dict[tuple[str, bytes, int], bytes]()

    def repeated(self, environment: Path) -> str:
        """Return the numbers that two different certificates or CRLs of one key have."""
        problems = list[str]()
        for path in (*environment.glob("authorities/*/*.crt"), *environment.glob("certificates/*/*.crt")):
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            with suppress(x509.ExtensionNotFound):
                identifier = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
                issuer = identifier.value.key_identifier or b""
                der = certificate.public_bytes(Encoding.DER)
                problems += self._add("serial", issuer, certificate.serial_number, der, path)
        for path in environment.glob("www/crl/**/*.crl"):
            crl = x509.load_der_x509_crl(path.read_bytes())
            number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            identifier = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
            scope = "base" if path.stem == "base" else str(path.relative_to(environment))
            issuer = identifier.value.key_identifier or b""
            problems += self._add(scope, issuer, number, crl.public_bytes(Encoding.DER), path)
        return ", ".join(problems)

    def _add(self, kind: str, issuer: bytes, number: int, data: bytes, path: Path) -> list[str]:
        digest = sha256(data).digest()
        before = self._digests.setdefault((kind, issuer, number), digest)
        return [] if before == digest else [f"{path.name} has the number {number:x} of another ({kind})"]
