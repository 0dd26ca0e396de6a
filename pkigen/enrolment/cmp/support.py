"""Support messages (genm; RFC 9483, 4.3): CA certificates, a new root, the request template, the CRL."""

from __future__ import annotations

from contextlib import suppress

from pkigen.asn1 import der
from pkigen.enrolment.cmp.messages import Message, info
from pkigen.enrolment.decode import Undecodable, identifier, parts
from pkigen.enrolment.requested_key import key_kind
from pkigen.environment.enrol import Enroller
from pkigen.errors import InputError
from pkigen.profile.enrolment import Template

_INFO = "1.3.6.1.5.5.7.4."
_CURRENT_CRL, _CA_CERTS, _ROOT_CA_KEY_UPDATE, _CERT_REQ_TEMPLATE, _ROOT_CA_CERT = (
    _INFO + number for number in ("6", "17", "18", "19", "20")
)
_ALGORITHM_CONTROL, _RSA_LENGTH_CONTROL = "1.3.6.1.5.5.7.5.1.11", "1.3.6.1.5.5.7.5.1.12"
_EC_PUBLIC_KEY = "1.2.840.10045.2.1"


def respond(message: Message, template: Template, enroller: Enroller) -> bytes:
    """Return GenRepContent; the server ignores what it does not know (RFC 9810, 5.3.19)."""
    issuer = str(template.sample()[1].issuer)
    answers = []
    for part in parts(message.content):
        elements = parts(part)
        if not elements:
            raise Undecodable("an InfoTypeAndValue has no type")
        oid = identifier(elements[0])
        if oid == _CA_CERTS:
            answers.append(info(oid, der.sequence(*enroller.chain(issuer))))
        elif oid == _ROOT_CA_CERT:
            answers.append(info(_ROOT_CA_KEY_UPDATE))
        elif oid == _CERT_REQ_TEMPLATE:
            answers.append(info(oid, _request_template(template)))
        elif oid == _CURRENT_CRL:
            with suppress(InputError):
                answers.append(info(oid, enroller.crl(issuer)))
    return der.sequence(*answers)


def _request_template(template: Template) -> bytes:
    """Return CertReqTemplateContent with the key of the template; empty if it requires nothing."""
    if "key" not in template.own_keys:
        return b""
    kind = key_kind(template)
    if kind.family == "rsa":
        control = der.sequence(der.oid(_RSA_LENGTH_CONTROL), der.integer(kind.size))
    elif kind.family == "ec":
        algorithm = der.sequence(der.oid(_EC_PUBLIC_KEY), der.oid(kind.oid))
        control = der.sequence(der.oid(_ALGORITHM_CONTROL), algorithm)
    else:
        control = der.sequence(der.oid(_ALGORITHM_CONTROL), der.sequence(der.oid(kind.oid)))
    return der.sequence(der.sequence(), der.sequence(control))
