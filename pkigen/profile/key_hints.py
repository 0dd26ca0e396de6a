"""Keys of other tools that profiles do not have, and what to write instead of each.

The tables also have keys of profiles, for values of another shape: ``crl: 3d`` for ``crl: {valid: 3d}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pkigen.profile import value_hints as values


class Hint(NamedTuple):
    """What to write: YAML with ``@`` for the value, an example of the value, the user's value, a remark."""

    text: str
    example: str = ""
    value: Callable[[object], str | None] = lambda _: None
    remark: str = ""

    def written(self, value: object) -> str:
        """Return what to write for a value: the value itself if it is simple, otherwise the example."""
        text = self.text.replace("@", self.value(value) or self.example)
        return f"{text} ({self.remark})" if self.remark else text

    @property
    def key(self) -> str:
        """The key of the hint."""
        return self.text.partition(":")[0]


def _words(rows: Mapping[str, Hint]) -> dict[str, Hint]:
    return {word: hint for words, hint in rows.items() for word in words.split()}


def _without(hints: Mapping[str, Hint], *keys: str) -> dict[str, Hint]:
    return {word: hint for word, hint in hints.items() if hint.key not in keys}


_ISSUER = Hint("issuer: @", "NAME", values.plain)
_PERIOD = Hint("valid: @", "397d", values.period)
_LIFETIME = Hint("valid: @", "7d", values.days)
_HOURS = Hint("valid: @", "24h", values.hours)
_LIST_OF_FAULTS = Hint("faults: @", "[expired]", values.plain_list)

_ENTITY = _words(
    {
        "san sans hosts host hostname hostnames dns dnsname dnsnames domain domains names altname altnames "
        "alternativenames subjectaltname subjectaltnames subjectalternativename subjectalternativenames "
        "ip ips ipaddress ipaddresses email emails emailaddress emailaddresses uri uris urisans ipsans": Hint(
            "san: @", "[dns:a.test, ip:192.0.2.1]", values.general_names
        ),
        "subject cn commonname dn": Hint("subject: {CN: @}", "a.test", values.plain),
        "o org organization organizations organizationname": Hint("subject: {O: @}", "Contoso", values.plain),
        "ou organizationalunit organizationalunits": Hint("subject: {OU: @}", "OT", values.plain),
        "c country countries countryname": Hint("subject: {C: @}", "US", values.plain),
        "l locality localities city": Hint("subject: {L: @}", "Redmond", values.plain),
        "st state province provinces": Hint("subject: {ST: @}", "WA", values.plain),
        "valid days duration expiry expires expiration expirydays lifetime validity validityperiod "
        "validfor validitydays validdays notafter enddate validto validuntil until": _PERIOD,
        "notbefore startdate validfrom backdate": Hint("valid: {from: @, for: 397d}", "-1h", values.date),
        "validityperiodhours hours": _HOURS,
        "ttl": Hint("valid: @", "397d", values.duration),
        "keysize size bits keybits rsabits modulus algorithm algo keyalgorithm keyalgo keytype kty "
        "privatekey curve ecdsacurve": Hint("key: @", "rsa-2048", values.key_kind),
        "digest hash md hashalgorithm signaturealgorithm sigalg": Hint("signature: sha256"),
        "serialnumber": Hint("serial: @", "1000", values.number),
        "ca parent signer signedby issuedby issuerref signingca": _ISSUER,
        "isca cacert": Hint("basic_constraints: {ca: true}", remark="or move it to authorities"),
        "usage usages": Hint(
            "extended_key_usage: [serverAuth, clientAuth]", remark="or key_usage: [digitalSignature]"
        ),
        "keyusage keyusages": Hint("key_usage: [digitalSignature, keyEncipherment]"),
        "eku ekus extkeyusage extkeyusages extendedkeyusage extendedkeyusages purpose purposes": Hint(
            "extended_key_usage: [serverAuth, clientAuth]"
        ),
        "crldistributionpoints crldistributionpoint crlurl crlurls cdp": Hint(
            "crl_distribution_points: [http://a.test/ca.crl]", remark="default: the CRL that pkigen publishes"
        ),
        "ocspurl ocspserver ocspservers ocspuri": Hint("aia: {ocsp: [http://a.test/ocsp]}"),
        "authorityinfoaccess authorityinformationaccess issuingcertificateurl caissuers": Hint(
            "aia: {ca_issuers: [http://a.test/ca.crt]}"
        ),
        "muststaple tlsfeature ocspmuststaple": Hint("must_staple: true"),
        "certificatepolicies policyidentifiers": Hint("policies: [2.23.140.1.2.1]"),
        "permitted permitteddnsdomains permittednames": Hint("name_constraints: {permitted: [dns:a.test]}"),
        "excluded excludeddnsdomains": Hint("name_constraints: {excluded: [dns:a.test]}"),
        "revoke revocation revocationreason isrevoked": Hint("revoked: keyCompromise"),
        "password pass passwd keypassword": Hint("passphrase: TEXT"),
        "format output outputs": Hint("formats: @", "[pkcs12]", values.plain_list),
        "template inherit inherits base copy": Hint("like: @", "NAME", values.plain),
    }
)
_AUTHORITY = _ENTITY | _words(
    {
        "pathlen pathlength pathlenconstraint maxpathlen maxpathlength": Hint(
            "path_length: @", "0", values.number
        ),
        "isca cacert": Hint("basic_constraints: {ca: true}", remark="the default of authorities"),
        "crl crldays crllifetime crlvalid crlexpiry": Hint("crl: {valid: @}", "7d", values.days),
        "crls": Hint("crls: [{name: users, entries: [1001]}]"),
        "ocsp ocspurl ocspserver ocspservers ocspuri": Hint("ocsp: {}"),
    }
)
_CERTIFICATE = _ENTITY | _words(
    {
        "pathlen pathlength pathlenconstraint maxpathlen maxpathlength": Hint(
            "basic_constraints: {ca: true, path_length: @}", "0", values.number
        ),
        "faults fault negative negatives broken": _LIST_OF_FAULTS,
        "crl crls": Hint(
            "crl_distribution_points: [http://a.test/ca.crl]", remark="crl and crls are keys of authorities"
        ),
        "ocsp": Hint("aia: {ocsp: [http://a.test/ocsp]}", remark="ocsp is a key of authorities"),
    }
)
_FLEET = _words(
    {
        "count n size number replicas amount quantity instances": Hint("count: @", "1000", values.number),
        "to format formats output": Hint("to: @", "[csv]", values.plain_list),
        "shards shardsize persshard chunk chunksize": Hint("shard: @", "10000", values.number),
        "revoked revoke revocation revocationreason isrevoked": Hint(
            "revoked: {every: 10, reason: keyCompromise}"
        ),
        "faults fault negative negatives broken": Hint(
            "faults: {every: 10, of: @}", "[expired]", values.plain_list
        ),
    }
)
_TOP = _words(
    {
        "authorities ca cas authority root roots intermediate intermediates issuers issuer": Hint(
            "authorities: {root: {}}"
        ),
        "certificates certificate cert certs leaf leaves servers endentities entities": Hint(
            "certificates: {a: {issuer: root}}"
        ),
        "url crlurl crlbaseurl ocspurl": Hint("base_url: http://127.0.0.1:8080"),
        "subject o organization": Hint("defaults: {subject: {O: @}}", "Contoso", values.plain),
        "valid days validity duration expiry": Hint("defaults: {valid: @}", "397d", values.period),
        "key keysize algorithm bits": Hint("defaults: {key: @}", "rsa-2048", values.key_kind),
        "crl crls": Hint("authorities: {root: {crl: {valid: 7d}}}"),
        "revoked revocations": Hint("certificates: {a: {issuer: root, revoked: keyCompromise}}"),
        "negatives negative faults fault broken variants mutations": Hint(
            "negatives: [{of: NAME, faults: [expired]}]"
        ),
        "like": Hint("extends: @", "FILE", values.plain),
    }
)
_NEGATIVES = _words(
    {
        "base name certificate cert target from case": Hint("of: @", "NAME", values.plain),
        "fault kind kinds violations mutations": _LIST_OF_FAULTS,
        "set sets requirement requirements": Hint("against: @", "SET", values.plain),
        "combined together": Hint("combine: true"),
    }
)
_CRL = _words(
    {
        "days lifetime validity duration expiry expires nextupdate interval period": _LIFETIME,
        "hours": _HOURS,
        "ttl": Hint("valid: @", "7d", values.duration),
        "deltas deltacrl": Hint("delta: 1d"),
        "shards parts count": Hint("partitions: @", "2", values.number),
        "indirect": Hint("issuer: NAME"),
        "url urls uri": Hint("base_url: http://127.0.0.1:8080", remark="at the top level"),
    }
)
_OCSP = _words(
    {
        "signer certificate cert delegate": Hint("responder: @", "NAME", values.plain),
        "days lifetime validity nextupdate": Hint("valid: @", "1d", values.days),
    }
)
_ADDITIONAL_CRL = _words(
    {
        "revoked certificates serials": Hint("entries: [1001, {serial: 1002, reason: keyCompromise}]"),
        "crlnumber": Hint("number: @", "5", values.number),
        "lastupdate": Hint("this_update: @", "-1d", values.date),
        "expires days valid validity lifetime": Hint("next_update: +@", "7d", values.days),
        "issuer": Hint("issuer_name: {CN: @}", "Test CA", values.plain),
        "idp issuingdistributionpoint": Hint("scope: {only: user}"),
    }
)
_REVOKED = _words({"date time when revocationdate": Hint("at: @", "-1h", values.date)})
_BASIC_CONSTRAINTS = _words(
    {
        "isca": Hint("ca: true"),
        "pathlen pathlenconstraint maxpathlen maxpathlength": Hint("path_length: @", "0", values.number),
    }
)

_VALID = _words(
    {
        "days duration lifetime length period validity": Hint("for: @", "397d", values.days),
        "hours": Hint("for: @", "24h", values.hours),
        "notbefore start begin since": Hint("from: @", "-1h", values.date),
        "notafter end until expires expiry": Hint("to: @", "+397d", values.date),
    }
)

HINTS: Mapping[str, Mapping[str, Hint]] = {
    "top level": _TOP,
    "authorities": _AUTHORITY,
    "certificates": _CERTIFICATE,
    "defaults": _without(_CERTIFICATE | _AUTHORITY, "like", "serial"),
    "fleets": _without(_CERTIFICATE, "serial", "formats") | _FLEET,
    "enrolment": _without(_CERTIFICATE, "serial", "revoked"),
    "Negatives": _NEGATIVES,
    "CrlSpec": _CRL,
    "OcspSpec": _OCSP,
    "AdditionalCrlSpec": _ADDITIONAL_CRL,
    "RevokedSpec": _REVOKED,
    "FleetRevocation": _REVOKED | _words({"count n nth rate": Hint("every: @", "10", values.number)}),
    "FleetFaults": _words(
        {"count n nth rate": Hint("every: @", "10", values.number), "faults ids": Hint("of: [expired]")}
    ),
    "BasicConstraints": _BASIC_CONSTRAINTS,
    "valid": _VALID,
}
"""The hints by the section of the profile, and below it, by the name of the model of a mapping."""

OTHER_ATTRIBUTE_NAMES = {
    "cn": "CN",
    "commonname": "CN",
    "organization": "O",
    "organizationname": "O",
    "organizationalunit": "OU",
    "organizationalunitname": "OU",
    "country": "C",
    "countryname": "C",
    "locality": "L",
    "localityname": "L",
    "city": "L",
    "state": "ST",
    "province": "ST",
    "stateorprovincename": "ST",
    "o": "O",
    "ou": "OU",
    "c": "C",
    "l": "L",
    "st": "ST",
    "s": "ST",
    "dc": "DC",
    "email": "emailAddress",
    "uid": "UID",
    "userid": "UID",
    "domaincomponent": "DC",
    "surname": "SN",
    "streetaddress": "street",
    "serial": "serialNumber",
}
"""The attribute types of a profile by the names of other tools."""


def normalized(word: str) -> str:
    """Return a word as the tables have it: without case, ``_``, ``-`` and dots."""
    return word.lower().replace("_", "").replace("-", "").replace(".", "")


def find_hint(place: str, key: str, value: object) -> Hint | None:
    """Return the hint for a key, in a section or model."""
    word = normalized(key)
    if word == "ca" and value in ("true", "false", "yes"):
        word = "isca"
    return HINTS.get(place, {}).get(word)
