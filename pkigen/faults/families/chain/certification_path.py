"""The chain file, the certification path in it, and its trust anchor (RFC 5280, 6.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan, Entity, Extension, KeyIdentifier

_DAY, _YEAR = timedelta(days=1), timedelta(days=365)


def _sound_root(case: Case) -> str:
    """Return the trust anchor of the certificate without a fault."""
    if not case.authorities:
        raise Impossible("a self-signed certificate has no chain")
    return case.authorities[-1].id


@fault("R", "path", "RFC 9846 4.5.1", finds=("path:no-issuer", "chain-issuer"))
def chain_missing_intermediate(case: Case) -> Case:
    """The chain file lacks the issuing CA certificate.

    Clients report an unknown issuer, except browsers that have cached the CA. Install the complete
    chain.
    """
    case.intermediate()
    return case.alter("chain", "without-issuer")


@fault("R", "path", "6.1.1 (d)", finds=("path:untrusted-root", "path-valid", "chain-of-trust"))
def chain_untrusted_root(case: Case) -> Case:
    """The certificate chains to an untrusted root.

    Clients report an unknown issuer or a self-signed certificate in the chain. Install the root, or
    use another one.
    """
    trusted = _sound_root(case)
    return case.change_authority(case.root, lambda root: replace(root, trusted=False)).trusting(trusted)


@fault("R", "path", "6.1.1 (d)", finds=("path:untrusted-root", "path-valid", "chain-of-trust"))
def chain_same_name_other_key_root(case: Case) -> Case:
    """The root has the name of the trusted root but a different key.

    Clients that have the old root report an invalid signature. Install the new root.
    """
    trusted, root = _sound_root(case), case.authorities[-1]
    if not root.certificates:
        raise Impossible(f"the authority '{root.name}' was imported from files and cannot be copied")
    subject = root.certificates[0].subject

    def renamed(root: Entity) -> Entity:
        plan = replace(root.certificates[0], subject=subject, issuer=subject)
        # With a label, the key differs from that of the trusted root also if keys come from a pool.
        return replace(root, certificates=(plan,), trusted=False, key_of="another root")

    return case.change_authority(case.root, renamed).trusting(trusted)


@fault(
    "R",
    "path",
    "6.1.3 (a)(1)",
    finds=("path:bad-signature", "authority-key-identifier", "path-valid", "chain-of-trust"),
)
def chain_same_name_other_key_root_no_aki(case: Case) -> Case:
    """The root has the name of the trusted root and another key; no AKI names a key.

    Clients that have the old root report an invalid signature: without authority key identifiers, only the
    signature tells the two roots apart. Install the new root.
    """

    def without_aki(plan: CertificatePlan) -> CertificatePlan:
        others = tuple(one for one in plan.extensions if one.oid != oids.AUTHORITY_KEY_IDENTIFIER)
        return replace(plan, extensions=others)

    case = chain_same_name_other_key_root(case)
    for level in range(len(case.authorities)):
        case = case.change_authority_plan(level, without_aki)
    return case.without_extension(oids.AUTHORITY_KEY_IDENTIFIER)


@fault(
    "R",
    "path",
    "6.1.1 (d)",
    finds=("path:untrusted-root", "chain-only-authorities", "crl-distribution-point"),
)
def self_signed(case: Case) -> Case:
    """The certificate is self-signed.

    Clients reject it unless it is installed as a trust anchor.
    """
    return _own_issuer(case)


def _own_issuer(case: Case) -> Case:
    """Make the certificate self-signed, and remove the URLs of its former issuer."""
    case = case.self_signed()
    for oid in (oids.CRL_DISTRIBUTION_POINTS, oids.FRESHEST_CRL, oids.AUTHORITY_INFORMATION_ACCESS):
        case = case.without_extension(oid)
    return case


@fault("A", "path", "RFC 9846 4.5.1")
def chain_includes_root(case: Case) -> Case:
    """The server sends the root certificate in addition to the chain.

    Clients accept it (control case). The root may be omitted, because clients already have it.
    """
    _sound_root(case)
    return case.served("tls", "chain-with-root")


@fault("A", "path", "RFC 9846 4.5.1")
def chain_reversed(case: Case) -> Case:
    """The chain file is in reverse order.

    Clients should accept any order of the certificates that follow that of the server (control case);
    some accept only the order of the path.
    """
    case.intermediate()
    return case.alter("chain", "reversed")


@fault("A", "path", "RFC 9846 4.5.1")
def chain_duplicate_intermediate(case: Case) -> Case:
    """The chain file contains the issuing CA certificate twice.

    Clients ignore the duplicate (control case).
    """
    case.intermediate()
    return case.alter("chain", "duplicate")


@fault("A", "path", "RFC 9846 4.5.1")
def chain_unrelated_extra(case: Case) -> Case:
    """The chain file contains an unrelated CA certificate.

    Clients ignore certificates that they do not need (control case).
    """
    _sound_root(case)
    return case.alter("chain", "unrelated")


@fault("A", "path", "RFC 9846 4.5.1", finds=("chain-only-authorities",))
def chain_leaf_twice(case: Case) -> Case:
    """The server sends its own certificate twice.

    Clients ignore the duplicate (control case).
    """
    _sound_root(case)
    return case.alter("chain", "leaf-twice")


@fault(
    "R",
    "path",
    "RFC 9846 4.5.1",
    finds=(
        "key-usage-no-certsign",
        "names-in-san",
        "at-most-825-days",
        "server-purpose",
        "digital-signature",
        "no-ca",
        "key-matches",
        "subject-cn",
        "chain-only-authorities",
    ),
)
def chain_file_leaf_not_first(case: Case) -> Case:
    """The certificate file begins with the issuing CA certificate.

    The server presents the CA certificate as its own: neither the name nor the key matches. Put the
    server certificate first.
    """
    _sound_root(case)
    return case.alter("certificate", "leaf-last")


@fault("R", "path", "appliance", finds=("path:no-issuer", "chain-issuer"))
def chain_file_other_ca(case: Case) -> Case:
    """The chain file belongs to another environment.

    It does not contain the issuing CA. Install the chain that belongs to the certificate.
    """
    case.intermediate()
    return case.alter("chain", "other-ca")


@fault("P", "file", "appliance", finds=("chain-only-authorities",))
def chain_file_leaf_inside(case: Case) -> Case:
    """The chain file contains the certificate itself.

    Clients accept it; appliances that require a chain of CA certificates only reject the file.
    """
    _sound_root(case)
    return case.alter("chain", "with-leaf")


@fault("P", "file", "appliance", finds=("chain-complete",))
def chain_file_without_root(case: Case) -> Case:
    """The chain file lacks the root certificate.

    Clients have the root; appliances that require the complete chain reject the file.
    """
    case.intermediate()
    return case.alter("chain", "without-root")


@fault("V", "file", "RFC 7468 2", finds=("chain-complete",), sent=False)
def chain_second_block_corrupt(case: Case) -> Case:
    """The chain file has a corrupt second certificate.

    Parsers that stop at the first error reject the chain file; parsers that skip the error, or that
    read only the first certificate, do not.
    """
    case.intermediate()
    return case.alter("chain", "second-corrupt")


@fault("A", "file", "RFC 7468 2", finds=("chain-only-authorities",))
def chain_key_in_chain_file(case: Case) -> Case:
    """The chain file also contains the private key.

    Parsers should read only the certificates (control case). Never publish such a file.
    """
    _sound_root(case)
    return case.alter("chain", "with-key")


@fault("V", "path", "6.1.1 (d)")
def chain_leaf_as_anchor(case: Case) -> Case:
    """The certificate itself is the client's trust anchor, and its root is not.

    Some clients accept any certificate as a trust anchor; others accept only self-signed ones.
    """
    _sound_root(case)
    return case.trusting(case.entity.id)


@fault("V", "path", "6.1.1 (d)")
def chain_intermediate_as_anchor(case: Case) -> Case:
    """The issuing CA certificate is the client's trust anchor, and its root is not.

    RFC 5280 allows it; some validators continue until they find a root.
    """
    return case.trusting(case.authorities[case.intermediate()].id)


@fault(
    "V",
    "path",
    "6.1",
    finds=("key-usage-no-certsign", "no-ca", "chain-only-authorities", "crl-distribution-point"),
)
def chain_root_as_leaf(case: Case) -> Case:
    """The server certificate is itself a trusted root.

    The certification path begins and ends with the same CA certificate. Validators differ.
    """
    case = _own_issuer(case)
    flags = {
        oids.BASIC_CONSTRAINTS: der.sequence(der.boolean(True)),
        oids.KEY_USAGE: der.named_bits(("digitalSignature", "keyCertSign", "cRLSign"), oids.KEY_USAGES),
    }
    for oid, value in flags.items():
        extension = case.extension(oid)
        if extension is None:
            raise Impossible(f"the certificate has no extension {oid}")
        case = case.with_extension(replace(extension, critical=True, value=value))
    return case.trusting(case.entity.id)


@fault("R", "path", "6.1", finds=("path:no-issuer", "chain-complete", "authority-key-identifier"))
def chain_issuer_loop(case: Case) -> Case:
    """The certification path contains two CAs that certified each other.

    The upper one has no authority key identifier. Clients cannot build a path to a trusted root, and must not
    loop.
    """
    trusted = _sound_root(case)
    if case.root != 1:
        raise Impossible("it requires an intermediate CA below a root")
    above, below = (f"{name} of {case.entity.name}" for name in ("upper key", "lower key"))
    kind = case.authorities[0].key
    case = case.change_authority(0, lambda authority: replace(authority, key_of=below))
    subject = case.authorities[0].certificates[0].subject

    def certified(root: Entity) -> Entity:
        own = root.certificates[0]
        others = tuple(one for one in own.extensions if one.oid != oids.AUTHORITY_KEY_IDENTIFIER)
        plan = replace(own, issuer=subject, rogue_key=below, extensions=others)
        return replace(root, certificates=(plan,), key=kind, key_of=above, trusted=False)

    return case.change_authority(1, certified).trusting(trusted)


@fault("V", "path", "6.1", finds=("ca-in-force", "chain-complete"))
def chain_expired_cross_plus_valid(case: Case) -> Case:
    """The certificate has two certification paths, and one of them has expired.

    The root is trusted, and an older root has issued an expired cross-certificate for it.
    Validators that do not look for a second path fail, as many did on 30 May 2020.
    """
    older = case.authorities[case.intermediate() + 1 :][-1]
    case = case.change_authority(case.root, lambda root: root)
    root = case.authorities[-1]
    end = case.clock - _DAY
    own = root.certificates[0]
    others = tuple(one for one in own.extensions if one.oid != oids.AUTHORITY_KEY_IDENTIFIER)
    plan = replace(
        own,
        issuer=older.certificates[0].subject,
        issuer_id=older.id,
        not_before=end - _YEAR,
        not_after=end,
        extensions=(*others, Extension(oids.AUTHORITY_KEY_IDENTIFIER, False, KeyIdentifier.ISSUER)),
    )
    return case.with_cross(plan).trusting(root.id, older.id)
