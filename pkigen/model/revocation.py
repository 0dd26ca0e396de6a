"""What is said of revocation: CRLs, OCSP answers, who signs them (RFC 5280, 5; RFC 6960)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pkigen.model.certificates import Edit, Extension, Signature


@dataclass(frozen=True)
class Revocation:
    """A revocation asked for: the reason code's RFC 5280 name, the instant, the text it came from.

    ``reason`` is one of keyCompromise, cACompromise, affiliationChanged, superseded,
    cessationOfOperation, certificateHold, removeFromCRL, privilegeWithdrawn, aACompromise, unspecified.
    ``invalid_since`` is since when the key is believed to be in other hands, None when nobody says.
    """

    reason: str
    at: datetime
    text: str
    invalid_since: datetime | None = None


class CrlForm(StrEnum):
    """In what form the two files of a CRL are: that of its URL, and that of its authority's folder."""

    SOUND = "DER at the URL, PEM in the folder"
    PEM = "PEM in both"
    DER = "DER in both"
    EMPTY = "no octets in both"
    CERTIFICATE = "the authority's certificate in both, where the CRL belongs"
    NONE = "no file: it is not published"


@dataclass(frozen=True)
class CrlEntry:
    """An entry of a CRL for a serial number that no certificate has, dated at the CRL's this_update."""

    serial: int
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True)
class CrlPart:
    """A CRL beside the complete one of an authority, at a URL of its own (RFC 5280, 5.2.4 and 5.2.5).

    ``name`` is its file's without the ending. It is for one ``partition`` of the certificates (its
    number from 0, how many there are), or for some ``reasons`` (ReasonFlags by name), or ``indirect``:
    also for the authorities that have their revocations listed by this one. ``delta`` is the
    lifetime in seconds of a delta CRL, 0 for a CRL that needs no base.
    """

    name: str
    partition: tuple[int, int] | None = None
    reasons: tuple[str, ...] = ()
    indirect: bool = False
    delta: int = 0


@dataclass(frozen=True)
class CrlPlan:
    """The CRL an authority publishes: lifetime in seconds, and where clients find it.

    ``age`` is how many seconds before the build's clock it says it was issued; ``suffix`` ends the
    name of its file. ``edits`` are made to its octets, last of all; the edits that are signed to the
    TBSCertList. ``entries`` and ``extensions`` stand behind those that it has anyway. ``rogue_key`` names
    a key that belongs to nobody and signs in the authority's place. ``countdown`` numbers each CRL
    lower than the one before, of which there is a file beside it. ``parts`` are published beside it;
    ``indirect_crl_issuer`` is the id of another authority whose indirect CRL lists the same.
    """

    lifetime: int
    url: str
    age: int = 0
    suffix: str = ".crl"
    edits: tuple[Edit, ...] = ()
    signature: Signature = Signature()
    entries: tuple[CrlEntry, ...] = ()
    extensions: tuple[Extension, ...] = ()
    rogue_key: str = ""
    countdown: bool = False
    form: CrlForm = CrlForm.SOUND
    parts: tuple[CrlPart, ...] = ()
    indirect_crl_issuer: str = ""

    def part_url(self, part: CrlPart) -> str:
        """Where clients find a part: in a folder beside the complete CRL."""
        return f"{self.url.removesuffix(self.suffix)}/{part.name}.crl"


@dataclass(frozen=True)
class Responder:
    """Who signs an OCSP answer in the issuing CA's place, with a certificate of its own.

    ``purposes`` are the key purposes (OIDs) of that certificate, ``extensions`` what it has besides,
    ``ended`` whether it has expired, ``issued_by`` the issuing CA or ``itself`` or ``another CA``,
    ``edits`` are made to its octets. ``enclosed`` says whether the answer brings it along.
    """

    purposes: tuple[str, ...]
    extensions: tuple[Extension, ...] = ()
    ended: bool = False
    issued_by: str = "issuer"
    enclosed: bool = True
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Responding:
    """Who answers OCSP requests about what an authority has issued, and where.

    ``responder`` is the name of the end entity that signs, empty for the authority itself; ``by_name``
    says whether answers name it or the hash of its key (RFC 6960, 4.2.1); ``lifetime`` is in seconds.
    """

    url: str
    responder: str = ""
    by_name: bool = False
    lifetime: int = 86400


class OcspForm(StrEnum):
    """What stands where an OCSP answer belongs."""

    SOUND = "the answer"
    EMPTY = "no octets"
    HTML = "a page of HTML"


@dataclass(frozen=True)
class OcspPlan:
    """The OCSP answer about an end entity, and where its certificate says that it is to be had.

    ``answers`` are good, revoked or unknown, a single response each. ``age`` and ``lifetime`` are in
    seconds as those of a CRL, ``lifetime`` None for no next_update; ``produced`` is how many seconds
    after this_update it says it was made. ``responder`` signs instead of the issuing CA, ``rogue_key``
    names a key that signs instead of either. ``wrong_cert_id_field`` is the CertID field with a value
    of another certificate: serial, name or key. ``status`` is the response status; any but 0 comes without an
    answer. ``extensions`` are the response's; ``edits`` are made to its octets, signed ones to the
    ResponseData and the others to the BasicOCSPResponse, ``outer`` ones to the OCSPResponse around it.
    """

    url: str
    answers: tuple[str, ...] = ("good",)
    age: int = 0
    lifetime: int | None = 7 * 86400
    produced: int = 0
    responder: Responder | None = None
    rogue_key: str = ""
    wrong_cert_id_field: str = ""
    status: int = 0
    signature: Signature = Signature()
    extensions: tuple[Extension, ...] = ()
    edits: tuple[Edit, ...] = ()
    outer: tuple[Edit, ...] = ()
    form: OcspForm = OcspForm.SOUND
