"""Chain files without a path to the trust anchor, or with certificates in the wrong role."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import leave_out, put
from pkigen.faults.registry import fault
from pkigen.model import Entity

_CAS = 20
_IDENTIFIERS = (oids.AUTHORITY_KEY_IDENTIFIER, oids.SUBJECT_KEY_IDENTIFIER)


@fault("R", "path", "6.1", finds=("path:untrusted-root", "path-valid", "chain-of-trust"))
def chain_cycle_same_name(case: Case) -> Case:
    """The certification path has two CAs of the same name that certified each other.

    Neither certificate has an authority key identifier, so that each looks self-signed. Clients cannot
    build a path to a trusted root, and must not loop.
    """
    if case.root != 1:
        raise Impossible("it requires an intermediate CA below a root")
    trusted = case.authorities[-1].id
    upper, lower = (f"{name} of {case.entity.name}" for name in ("upper key", "lower key"))
    kind = case.authorities[0].key
    case = case.change_authority(0, lambda authority: replace(authority, key_of=lower))
    subject = case.authority_plan(0).subject

    def certified(root: Entity) -> Entity:
        plan = replace(root.certificates[0], subject=subject, issuer=subject, rogue_key=lower)
        return replace(root, certificates=(plan,), key=kind, key_of=upper, trusted=False)

    case = case.change_authority(1, certified)
    case = case.change_authority_plan(0, lambda plan: replace(plan, issuer=subject))
    for level in (0, 1):
        case = leave_out(case, oids.AUTHORITY_KEY_IDENTIFIER, level)
    return case.trusting(trusted)


@fault(
    "R",
    "path",
    "6.1",
    finds=(
        "path:untrusted-root",
        "authority-key-identifier",
        "ca-subject-key-identifier",
        "path-valid",
        "signature-sha256-rsa",
        "chain-of-trust",
    ),
)
def chain_unrooted_same_name(case: Case) -> Case:
    """The certification path has 20 CAs of the same name and key, and no trusted root.

    The certificates have no key identifiers: each CA may have issued each other one, so that clients that try
    all orders do not end. Clients report an unknown issuer.
    """
    if case.root != 1:
        raise Impossible("it requires an intermediate CA below a root")
    trusted = case.authorities[-1].id
    case = case.with_chain_of(_CAS - 1)
    case = case.change_authority(case.root, lambda root: replace(root, trusted=False))
    name, key = case.authority_plan(case.root).subject, f"CAs of {case.entity.name}"

    def alike(authority: Entity) -> Entity:
        plan = authority.certificates[0]
        others = tuple(one for one in plan.extensions if one.oid not in _IDENTIFIERS)
        plan = replace(plan, subject=name, issuer=name, extensions=others)
        return replace(authority, certificates=(plan,), key="ec-p256", key_of=key)

    case = replace(case, authorities=tuple(map(alike, case.authorities)))
    return leave_out(case.change(issuer=name), oids.AUTHORITY_KEY_IDENTIFIER).trusting(trusted)


@fault("V", "parse", "RFC 9846 4.5.1")
def chain_extra_unparsable(case: Case) -> Case:
    """The chain file also contains a certificate that cannot be parsed.

    The path does not need it. Clients that parse all certificates reject the chain; others ignore it.
    """
    case.intermediate()
    return case.alter("chain", "unparsable")


@fault("V", "file", "RFC 7468 2")
def chain_second_der_garbage(case: Case) -> Case:
    """The chain file has a second PEM block whose content is not DER.

    The block is valid PEM, unlike its content. Parsers that stop at the first error reject the chain file.
    """
    case.intermediate()
    return case.alter("chain", "second-garbage")


@fault("V", "file", "RFC 7468 2", finds=("chain-only-authorities",), sent=False)
def chain_crl_block_in_middle(case: Case) -> Case:
    """The chain file has a CRL between two certificates.

    PEM files may contain several kinds of objects; parsers that expect only certificates stop at the CRL.
    """
    case.intermediate()
    return case.alter("chain", "crl-inside")


@fault(
    "V",
    "path",
    "CABF BR 7.1.2.7.8",
    finds=("path:purpose", "no-ca", "key-usage-no-certsign", "server-purpose", "digital-signature"),
)
def chain_ca_as_leaf(case: Case) -> Case:
    """The server presents a subordinate CA certificate with its host name.

    The key usage allows only to sign certificates and CRLs, and there is no extended key usage. Many
    clients reject a CA certificate as a server certificate.
    """
    usages = der.named_bits(("keyCertSign", "cRLSign"), oids.KEY_USAGES)
    case = put(case, oids.BASIC_CONSTRAINTS, der.sequence(der.boolean(True)), critical=True)
    return leave_out(put(case, oids.KEY_USAGE, usages, critical=True), oids.EXTENDED_KEY_USAGE)
