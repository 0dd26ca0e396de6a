"""Version and serial number (RFC 5280, 4.1.2.1 and 4.1.2.2), unique identifiers (4.1.2.8)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2s

from pkigen.asn1 import der
from pkigen.cases.case import Case
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan, Edit, EditOp

_VERSION, _SERIAL = (0,), (1,)


def _version(number: int) -> Edit:
    return Edit(_VERSION, EditOp.REPLACE, der.explicit(0, der.integer(number - 1)))


def _version_1(plan: CertificatePlan) -> CertificatePlan:
    """No version, and so no extensions."""
    return replace(plan, extensions=(), edits=(*plan.edits, Edit(_VERSION, EditOp.REMOVE)))


@fault(
    "V",
    "path",
    "4.1.2.1",
    finds=(
        "version-3",
        "authority-key-identifier",
        "subject-key-identifier",
        "names-in-san",
        "server-purpose",
        "crl-distribution-point",
    ),
)
def version_v1_leaf(case: Case) -> Case:
    """The certificate has version 1 and therefore no extensions.

    Clients that require a subject alternative name or key usages reject it. Issue a version 3
    certificate.
    """
    return replace(case, entity=replace(case.entity, certificates=(_version_1(case.plan),)))


@fault("V", "parse", "4.1.2.1", finds=("version-3",))
def version_v1_with_exts(case: Case) -> Case:
    """The certificate has version 1 but contains extensions.

    Extensions require version 3; some parsers reject the certificate.
    """
    return case.edit(Edit(_VERSION, EditOp.REMOVE))


@fault("V", "parse", "4.1.2.1", finds=("version-3",))
def version_v2_with_exts(case: Case) -> Case:
    """The certificate has version 2 but contains extensions.

    Extensions require version 3; some parsers reject the certificate.
    """
    return case.edit(_version(2))


@fault("V", "parse", "4.1.2.1", finds=("version-3",))
def version_v4(case: Case) -> Case:
    """The certificate has version 4, which does not exist.

    Some parsers reject the certificate. The highest version is 3.
    """
    return case.edit(_version(4))


@fault(
    "R",
    "path",
    "6.1.4 (k)",
    finds=(
        "path:not-a-ca",
        "ca-basic-constraints",
        "ca-key-usage",
        "ca-subject-key-identifier",
        "path-valid",
        "chain-only-authorities",
        "chain-of-trust",
        "authority-key-identifier",
    ),
)
def version_v1_intermediate(case: Case) -> Case:
    """The issuing CA certificate has version 1.

    Clients report an invalid CA certificate: without basic constraints, nothing identifies it as a
    CA.
    """
    return case.change_authority_plan(case.intermediate(), _version_1)


@fault("V", "path", "6.1", finds=("ca-basic-constraints", "ca-key-usage", "ca-subject-key-identifier"))
def version_v1_root(case: Case) -> Case:
    """The root certificate has version 1.

    Some old trust anchors have version 1, and many clients still accept them.
    """
    return case.change_authority_plan(case.root, _version_1)


def _alone(case: Case) -> Case:
    """The case under an issuer of its own, which has given the serial number to nobody else."""
    return case.change_authority_plan(0, lambda plan: plan)


@fault("P", "lint", "4.1.2.2", finds=("serial-positive",))
def serial_zero(case: Case) -> Case:
    """The certificate has the serial number 0.

    The serial number must be positive; linters report it, path validation usually does not.
    """
    return _alone(case).change(serial=0)


@fault("V", "parse", "4.1.2.2", finds=("serial-positive",))
def serial_negative(case: Case) -> Case:
    """The certificate has the serial number -5.

    The serial number must be positive; some parsers reject the certificate.
    """
    return _alone(case).change(serial=-5)


@fault("V", "parse", "4.1.2.2", finds=("serial-20-octets", "serial-positive"))
def serial_21_octets(case: Case) -> Case:
    """The certificate has a serial number of 168 bits, which are 21 bytes.

    The maximum is 20 bytes; some parsers reject the certificate. The encoding has a 22nd byte, which
    keeps the number positive.
    """
    return _alone(case).change(serial=1 << 167 | case.plan.serial % (1 << 160))


@fault("A", "parse", "4.1.2.2")
def serial_20_octets_ok(case: Case) -> Case:
    """The certificate has a serial number of 20 bytes, the maximum.

    Clients must accept it: they must be able to handle serial numbers of up to 20 bytes (control
    case).
    """
    return _alone(case).change(serial=1 << 158 | case.plan.serial % (1 << 158))


@fault(
    "V",
    "parse",
    "X.690 8.3.1",
    finds=(
        "path:malformed",
        "serial-positive",
        "serial-20-octets",
        "path-valid",
        "not-revoked",
        "chain-of-trust",
    ),
)
def serial_empty(case: Case) -> Case:
    """The certificate has a serial number INTEGER without content bytes.

    An INTEGER has at least one content byte; strict parsers reject the certificate.
    """
    return case.edit(Edit(_SERIAL, EditOp.REPLACE, der.tlv(der.INTEGER)))


@fault(
    "R",
    "parse",
    "4.1.2.2",
    finds=(
        "path:malformed",
        "serial-positive",
        "serial-20-octets",
        "path-valid",
        "not-revoked",
        "chain-of-trust",
    ),
)
def serial_wrong_type(case: Case) -> Case:
    """The certificate has a serial number that is an OCTET STRING.

    The type must be INTEGER; parsers reject the certificate.
    """
    return case.edit(Edit(_SERIAL, EditOp.RETAG, bytes((der.OCTET_STRING,))))


@fault("P", "lint", "4.1.2.2")
def serial_duplicate(case: Case) -> Case:
    """The certificate shares its serial number with another certificate of its issuer.

    Revoking one revokes both, and Firefox rejects the second certificate that it encounters. The case
    includes the other certificate.
    """
    number = int.from_bytes(blake2s(case.entity.name.encode(), digest_size=16).digest(), "big") | 1 << 127
    return _alone(case).change(serial=number).with_twin(same_serial=True)


@fault("P", "lint", "4.1.2.8", finds=("no-unique-identifiers",))
def unique_ids(case: Case) -> Case:
    """The certificate contains issuer and subject unique identifiers.

    CAs must not generate these fields. Clients should be able to parse them; some reject the certificate.
    """
    data = der.tlv(0x81, b"\x00\x01") + der.tlv(0x82, b"\x00\x02")
    return case.edit(Edit((7,), EditOp.INSERT, data))
