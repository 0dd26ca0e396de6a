"""Downloads missing CA certificates from the caIssuers URLs of certificates (RFC 5280, 4.2.2.1)."""

from __future__ import annotations

from collections.abc import Sequence

from pkigen.asn1.oids import CA_ISSUERS_ACCESS
from pkigen.inspection.artifacts import read
from pkigen.inspection.path.downloader import Get
from pkigen.inspection.path.http_fetch import FetchError
from pkigen.x509 import Certificate, Malformed

MAX_ISSUERS = 8
"""CA certificates that are downloaded for one path, so that its author cannot set how long this takes."""
MAX_URLS = 3
"""URLs that are tried for one certificate."""


def missing_issuers(
    leaf: Certificate,
    known: Sequence[Certificate],
    get: Get,
) -> tuple[list[Certificate], list[str]]:
    """Return the downloaded CA certificates of the path of ``leaf``, and notes about failed downloads.

    ``known`` are the CA certificates at hand, trust anchors included. A downloaded certificate completes the
    path and is never a trust anchor. ``get`` downloads a URL, or raises FetchError.
    """
    downloaded, notes = list[Certificate](), list[str]()
    certificate, seen = leaf, {leaf.der}
    while not certificate.is_self_issued:
        issuer = _issuer(certificate, (*known, *downloaded))
        if issuer is None and len(downloaded) < MAX_ISSUERS:
            issuer = _download(certificate, get, notes)
            if issuer is not None:
                downloaded.append(issuer)
        if issuer is None or issuer.der in seen:
            break
        seen.add(issuer.der)
        certificate = issuer
    return downloaded, notes


def _issuer(certificate: Certificate, candidates: Sequence[Certificate]) -> Certificate | None:
    name = certificate.normalized_issuer
    return next((one for one in candidates if one.normalized_subject == name), None)


def _download(certificate: Certificate, get: Get, notes: list[str]) -> Certificate | None:
    for url in _urls(certificate)[:MAX_URLS]:
        try:
            artifacts = read(get(url), url)
        except FetchError as error:
            notes.append(f"The issuer's certificate could not be downloaded: {error}.")
            continue
        certificates = [one.certificate for one in artifacts if one.certificate is not None]
        issuer = _issuer(certificate, certificates)
        if issuer is not None:
            notes.append(f"The issuer's certificate was downloaded from {url}.")
            return issuer
        notes.append(f"The response of {url} does not contain the issuer's certificate.")
    return None


def _urls(certificate: Certificate) -> list[str]:
    try:
        locations = certificate.extensions.authority_information_access or ()
    except Malformed:
        return []
    return [name.value for method, name in locations if method == CA_ISSUERS_ACCESS and name.kind == "uri"]
