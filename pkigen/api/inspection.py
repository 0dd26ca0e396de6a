"""Validation of certification paths, requirement checks, and the fault catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pkigen.environment.environment import Case, open_environment
from pkigen.environment.tls_identity import TlsIdentity
from pkigen.errors import InputError

if TYPE_CHECKING:
    from pkigen.faults import FaultType
    from pkigen.inspection.check import CheckResult
    from pkigen.inspection.path import Purpose
    from pkigen.inspection.path.verify import VerifiedCertificate

PathLike = str | Path


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a certificate on the disk."""

    certificate: Path
    key: tuple[Path, ...]
    chain: tuple[Path, ...]
    anchors: tuple[Path, ...]
    crls: tuple[Path, ...]
    passphrases: tuple[bytes, ...]


def verify(
    certificate: PathLike | TlsIdentity,
    *,
    chain: Sequence[PathLike] = (),
    trust: Sequence[PathLike] = (),
    crls: Sequence[PathLike] = (),
    host: str | None = None,
    purpose: Purpose = "any",
    at: datetime | None = None,
    fetch_crls: bool = False,
    online: bool = False,
    passphrase: str | None = None,
) -> VerifiedCertificate:
    """Validate the certification path of a certificate with OpenSSL, as ``pkigen verify`` does.

    ``certificate`` is a file in any format, a case of an environment, or a certificate of a CA in memory;
    the last two include their chain and trust anchors, and a case also the CRLs of its environment.
    ``chain``, ``trust`` and ``crls`` are files in addition; without any trust anchor the self-signed
    certificates among all inputs are trusted. ``host`` is a DNS name or IP address that the certificate
    must contain, ``purpose`` is ``server``, ``client`` or ``any``, and ``at`` the time of validation
    (default: now). ``fetch_crls`` downloads CRLs, ``online`` also missing CA certificates. ``passphrase``
    decrypts a PKCS#12 file.

    The result's ``accepted`` is the verdict, ``problems`` are the reasons of a rejection. Raises InputError
    for a file that cannot be read.
    """
    from pkigen.inspection.path.verify import Verification
    from pkigen.inspection.path.verify import verify as verify_files

    with _on_disk(certificate) as files:
        crl_files = () if fetch_crls else files.crls
        secrets = () if passphrase is None else (passphrase.encode(),)
        return verify_files(
            Verification(
                files.certificate,
                at or datetime.now(UTC),
                chain=(*files.chain, *map(Path, chain)),
                trust=(*files.anchors, *map(Path, trust)),
                crls=(*crl_files, *map(Path, crls)),
                fetch_crls=fetch_crls,
                online=online,
                host=host,
                purpose=purpose,
                passphrases=secrets,
            )
        )


def fault_catalog(pattern: str = "all") -> tuple[FaultType, ...]:
    """Return the faults of the catalog in order; ``pattern`` is an ID or a glob of FAMILY/ID.

    The faults of the enrollment server are not in ``all``, but have the families acme, est, scep and cmp.
    Each has ``id``, ``family``, ``says`` (what is wrong), ``shows`` (what clients report), ``clause`` (of RFC
    5280 unless it names another document), ``stage`` and ``verdict``. Raises InputError if no fault matches.
    """
    from pkigen.faults import ENROLMENT_FAULTS, parse_faults
    from pkigen.faults.registry import matching

    if pattern != "all" and (of_server := matching(pattern, ENROLMENT_FAULTS)):
        return of_server
    try:
        return tuple(request.type for request in parse_faults(pattern))
    except ValueError as error:
        raise InputError(str(error)) from None


def check_identity(identity: TlsIdentity, sets: Iterable[str], at: datetime | None = None) -> CheckResult:
    """Check a certificate with its key and chain against requirement sets (names or files).

    ``at`` is the time to evaluate validity at (default: now). Raises InputError for a set that does not
    exist, and if ``sets`` is empty.
    """
    from pkigen.inspection.check import CheckOptions, check_files
    from pkigen.requirements import load_set

    loaded = tuple(load_set(name) for name in dict.fromkeys(sets))
    if not loaded:
        raise InputError("specify a requirement set; `pkigen sets` lists them")
    with _on_disk(identity) as files:
        options = CheckOptions(
            now=at or datetime.now(UTC), passphrases=files.passphrases, trust=files.anchors, crls=files.crls
        )
        results = check_files((files.certificate, *files.key, *files.chain), loaded, options)
    return results[0]


@contextmanager
def _on_disk(certificate: PathLike | TlsIdentity) -> Iterator[_Files]:
    """Provide the files of a certificate; those of one in memory are removed at the end of the block."""
    if isinstance(certificate, Case):
        yield _of_case(certificate)
    elif isinstance(certificate, TlsIdentity):
        with TemporaryDirectory(prefix="pkigen-") as folder:
            yield _written(certificate, Path(folder))
    else:
        yield _Files(Path(certificate), (), (), (), (), ())


def _of_case(case: Case) -> _Files:
    files = case.data["files"]
    paths = {kind: (case.file(kind),) if kind in files else () for kind in ("key", "chain", "passphrase")}
    secrets = tuple(path.read_bytes().splitlines()[0] for path in paths["passphrase"])
    crls = tuple(_crl_files(case))
    return _Files(case.certificate, paths["key"], paths["chain"], case.anchors, crls, secrets)


def _crl_files(case: Case) -> Iterator[Path]:
    """Yield the CRLs of a case's path; none if a CA of the path publishes no CRL."""
    authorities = {one["name"]: one for one in open_environment(case.folder).manifest["authorities"]}
    crls: list[Any] = [authorities[name]["crl"] for name in case.data["path"]]
    if None not in crls:
        yield from (case.folder / part["file"] for crl in crls for part in (crl, *crl["parts"]))


def _written(identity: TlsIdentity, folder: Path) -> _Files:
    parts = identity.pem_files()
    contents = {"certificate.crt": parts.certificate, "key.key": parts.key, "chain.pem": parts.chain}
    anchors = identity.anchors_pem().encode()
    for name, data in {**contents, "trust.pem": anchors}.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(data)
    secrets = (parts.passphrase,) if parts.passphrase else ()
    chain = (folder / "chain.pem",) if parts.chain else ()
    trust = (folder / "trust.pem",) if anchors else ()
    return _Files(folder / "certificate.crt", (folder / "key.key",), chain, trust, (), secrets)
