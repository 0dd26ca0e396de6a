"""Checks an upload: accepts it, or rejects it with messages, details and advice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath, PureWindowsPath

from pkigen.errors import visible
from pkigen.inspection.artifacts import Artifact, read
from pkigen.inspection.check import CheckResult, check, unusable_parts
from pkigen.inspection.path.downloader import Downloader
from pkigen.lab.appliance.credential import Credential
from pkigen.requirements import (
    CheckInput,
    Finding,
    Level,
    RequirementSet,
    switched,
)
from pkigen.requirements.crl_lookup import CrlLookup
from pkigen.requirements.document import VALIDATION
from pkigen.x509 import Certificate

MAX_FILE_BYTES = 256 * 1024
"""Maximum size of an uploaded file in bytes; a chain of fifty certificates is smaller."""
_LONGEST_NAME = 100
# The limits of all downloads of one upload.
_DOWNLOAD_SECONDS = 20.0
_MAX_DOWNLOADED_BYTES = 16 * 1024 * 1024

# By the message keys of a requirement set.
ADVICE = {
    "passphrase": "Enter the passphrase of this key file, or leave the field empty if the key has none.",
    "chain": "Upload a chain that contains the CA that issued this certificate and every CA above it, up to "
    "the root.",
    "expired": "Renew the certificate and upload the new one. If the certificate is not expired, check the "
    "clock of the appliance.",
    "revoked": "Request a new certificate. The CA has revoked this one, and a revocation is permanent.",
    "unreachable": "Make sure that the appliance can reach the CRL URL (plain HTTP, directly or through the "
    "proxy) and that the CRL there has not passed its next update time.",
}
_WITHOUT_ISSUER = (
    "The chain does not contain the issuing CA. Peers that trust only the root may fail to build the path "
    "and then stop the connection."
)
_OTHERWISE = "Correct the listed problems, or request a new certificate."


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """The fields of the upload dialog; ``title`` is the name of the certificate."""

    title: str
    certificate: File
    key: File
    chain: File | None = None
    passphrase: bytes | None = field(default=None, repr=False)
    crl_check: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the appliance, its details, and advice."""

    text: str
    details: tuple[str, ...]
    advice: str


@dataclass(frozen=True, slots=True)
class UploadResult:
    """The result of an upload. ``unsupported`` are violations that do not cause a rejection."""

    messages: tuple[Message, ...]
    unsupported: tuple[str, ...]
    checked: CheckResult | None = None
    credential: Credential | None = field(default=None, repr=False)

    @property
    def accepted(self) -> bool:
        """Whether the appliance installs the certificate."""
        return not self.messages and self.credential is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """Return hints about an accepted upload."""
        credential = self.credential
        if not self.accepted or credential is None or credential.leaf.is_self_issued:
            return ()
        above = (one.subject for one in credential.certificates[1:])
        return () if credential.leaf.issuer in above else (_WITHOUT_ISSUER,)


def check_upload(
    upload: Upload,
    sets: Sequence[RequirementSet],
    now: datetime,
    anchors: tuple[Certificate, ...] = (),
    proxy: str | None = None,
) -> UploadResult:
    """Check an upload against the requirement sets; download the CRL if ``crl_check`` is set.

    ``anchors`` are trusted in addition to the roots of the chain. Never raises for invalid files.
    """
    passphrases = () if not upload.passphrase else (upload.passphrase,)
    downloader = Downloader(proxy, seconds=_DOWNLOAD_SECONDS, max_bytes=_MAX_DOWNLOADED_BYTES)
    certificates, unread = _read(upload.certificate)
    keys, unread_keys = _read(upload.key, passphrases)
    chain, unread_chain = (None, []) if upload.chain is None else _read(upload.chain)
    first = next((one for one in certificates if one.certificate is not None), None)
    key = next((one for one in keys if one.key is not None), None)
    if first is None and not unread:
        return _unusable("The certificate file contains no certificate.", sets)
    if key is None:
        return _unusable("The key file contains no private key.", sets)
    unread += [*unread_keys, *unread_chain]
    above = [one.certificate for one in chain or () if one.certificate is not None]
    roots = tuple(one for one in above if one.is_self_issued)
    subject = CheckInput(
        now=now,
        certificate=first.certificate if first else None,
        certificate_source=first.source if first else None,
        key=key.key,
        key_source=key.source,
        chain=chain,
        anchors=(*roots, *anchors),
        look=CrlLookup(get=downloader.get).look,
    )
    checked = check(visible(upload.title), subject, switched(sets, {VALIDATION: upload.crl_check}), unread)
    messages = tuple(_messages(checked, unread))
    return UploadResult(messages, _unsupported(checked), checked, _credential(first, key, chain))


def _read(file: File, passphrases: Sequence[bytes] = ()) -> tuple[tuple[Artifact, ...], list[Artifact]]:
    """Return what is in an uploaded file, and what of it cannot be used."""
    name = base_name(file.name)
    content = read(file.data, name, passphrases)
    return content, unusable_parts(content, file.data, name)


def base_name(path: str) -> str:
    """Return the printable last part of a POSIX or Windows path."""
    name = PurePosixPath(PureWindowsPath(path).as_posix()).name
    return visible(name)[-_LONGEST_NAME:] or "unnamed file"


def advice_for(message: str, against: RequirementSet) -> str:
    """Return the advice for a message of a requirement set."""
    key = next((key for key, text in against.messages.items() if text == message), "")
    return ADVICE.get(key, _OTHERWISE)


def describe_violation(finding: Finding) -> str:
    """Describe a violation: the requirement, and the actual value."""
    return f"Required: {finding.requirement.says.rstrip('.')}. Found: {actual_value(finding).rstrip('.')}."


def actual_value(finding: Finding) -> str:
    """Return the actual value that violates a requirement."""
    return finding.outcome.reason or finding.outcome.actual or "none"


def _unusable(words: str, sets: Sequence[RequirementSet]) -> UploadResult:
    text = sets[0].otherwise if sets else words
    return UploadResult((Message(text, (words,), "Select the correct file for this field."),), ())


def _messages(checked: CheckResult, unread: Sequence[Artifact]) -> list[Message]:
    messages = dict[str, Message]()
    for verdict in checked.verdicts:
        refusing = [
            finding
            for finding in checked.broken
            if finding.set.name == verdict.set.name and finding.requirement.level is Level.REJECTED
        ]
        for text in verdict.messages:
            details = tuple(
                describe_violation(one) for one in refusing if verdict.set.message_of(one.requirement) == text
            )
            if text == verdict.set.otherwise:
                details += tuple(f"{one.source} cannot be read: {one.problem}." for one in unread)
            messages.setdefault(text, Message(text, details, advice_for(text, verdict.set)))
    return list(messages.values())


def _unsupported(checked: CheckResult) -> tuple[str, ...]:
    broken = (finding for finding in checked.broken if finding.requirement.level is Level.UNSUPPORTED)
    return tuple(dict.fromkeys(map(describe_violation, broken)))


def _credential(first: Artifact | None, key: Artifact, chain: Sequence[Artifact] | None) -> Credential | None:
    if first is None or first.certificate is None or key.key is None or key.key.pkcs8 is None:
        return None
    above = tuple(one.certificate for one in chain or () if one.certificate is not None)
    return Credential((first.certificate, *above), key.key.pkcs8)
