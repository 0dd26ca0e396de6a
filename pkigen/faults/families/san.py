"""Subject alternative names (RFC 5280, 4.2.1.6; RFC 9525)."""

from __future__ import annotations

import re
from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import (
    Case,
    Impossible,
    common_name,
    shortened,
)
from pkigen.cases.extension_values import (
    EMPTY_SEQUENCE,
    JUNK,
    leave_out,
    put,
    set_critical,
    value_of,
)
from pkigen.cases.general_names import (
    beside,
    dns,
    held_dns_names,
    held_names,
)
from pkigen.faults.registry import fault

_SAN = oids.SUBJECT_ALTERNATIVE_NAME
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*", re.IGNORECASE)
_CABF = "CABF BR 7.1.2.7.12"


def _host(case: Case) -> str:
    return case.entity.hosts[0] if case.entity.hosts else common_name(case.plan.subject) or "host.test"


def _only(case: Case, *names: bytes) -> Case:
    return put(case, _SAN, der.sequence(*names))


@fault("R", "name", "RFC 9525 6.3", finds=("names-in-san",))
def san_missing(case: Case) -> Case:
    """It has no alternative name, only a common name.

    Browsers do not look at the common name; OpenSSL and older clients do.
    """
    return leave_out(case, _SAN)


@fault("R", "name", "RFC 9525 6.3", finds=("path:hostname", "cn-in-san"))
def san_wrong_host(case: Case, *, host: str = "wrong-host.test") -> Case:
    """It is for another host.

    Clients say that the name does not match.
    """
    if not _HOST_NAME.fullmatch(host) or host.rpartition(".")[2].isdecimal():
        raise Impossible(f"'{host}' is no host name, and would be wrong for that")
    parent = host.removeprefix("*.").lower() if host.startswith("*.") else ""
    held = {one.lower() for one in case.entity.hosts}
    if host.lower() in held or any(one.partition(".")[2] == parent for one in held if parent):
        raise Impossible(f"it is for {host} as it is")
    return _only(case, dns(host))


@fault("V", "parse", "4.2.1.6", finds=("san-not-empty", "names-in-san", "cn-in-san"))
def san_empty(case: Case) -> Case:
    """Its list of alternative names is empty.

    One name at least must be there.
    """
    return put(case, _SAN, EMPTY_SEQUENCE)


@fault(
    "R",
    "parse",
    "4.2.1.6",
    finds=(
        "path:no-issuer",
        "path:malformed",
        "san-not-empty",
        "path-valid",
        "names-in-san",
        "cn-in-san",
        "name-syntax",
        "chain-of-trust",
    ),
)
def san_malformed(case: Case) -> Case:
    """Its alternative names are junk.

    No host can be read out of it.
    """
    return put(case, _SAN, JUNK)


@fault(
    "V",
    "parse",
    "X.690 8.1",
    finds=("path:malformed", "san-not-empty", "names-in-san", "cn-in-san", "name-syntax"),
)
def san_trailing_data(case: Case) -> Case:
    """An octet follows its alternative names.

    It does not belong there.
    """
    return put(case, _SAN, value_of(case, _SAN) + b"\x00")


@fault("V", "lint", "4.2.1.6")
def san_critical(case: Case) -> Case:
    """Its alternative name is critical, beside a subject.

    It should be so only where the subject is empty.
    """
    return set_critical(case, _SAN, True)


@fault("V", "parse", "4.2.1.6", finds=("name-syntax",))
def san_dns_empty(case: Case) -> Case:
    """One of its DNS names is empty.

    A name of no label.
    """
    return beside(case, dns(""))


@fault("V", "parse", "RFC 5890 2.3.2", finds=("name-syntax",))
def san_dns_utf8(case: Case) -> Case:
    """One of its DNS names is in UTF-8.

    Names in other scripts are written as A-labels.
    """
    return beside(case, dns("b\u00fccher.test"))


@fault("V", "parse", "4.2.1.6", finds=("name-syntax",))
def san_dns_latin1(case: Case) -> Case:
    """One of its DNS names is in Latin-1.

    IA5String has seven bits.
    """
    return beside(case, dns(b"b\xfccher.test"))


@fault("P", "lint", _CABF, finds=("name-syntax",))
def san_underscore(case: Case) -> Case:
    """One of its DNS names has an underscore.

    Host names do not have it.
    """
    return beside(case, dns("a_b.test"))


@fault("P", "lint", _CABF, finds=("name-syntax",))
def san_space(case: Case) -> Case:
    """One of its DNS names has a space.

    Host names do not have it.
    """
    return beside(case, dns("a b.test"))


@fault("P", "lint", _CABF, finds=("name-syntax",))
def san_leading_dot(case: Case) -> Case:
    """One of its DNS names begins with a full stop.

    That is for name constraints, in other documents.
    """
    return beside(case, dns(".host.test"))


@fault("P", "lint", _CABF, finds=("name-syntax",))
def san_label_64(case: Case) -> Case:
    """A label of one of its DNS names has 64 characters.

    63 are the most.
    """
    return beside(case, dns(f"{'a' * 64}.test"))


@fault("P", "lint", _CABF, finds=("name-syntax",))
def san_254_chars(case: Case) -> Case:
    """One of its DNS names has 254 characters.

    253 are the most.
    """
    labels = ".".join(["a" * 49] * 5)
    return beside(case, dns(f"{labels}.test"[:254]))


@fault("P", "lint", _CABF, finds=("name-syntax",))
def san_double_dot(case: Case) -> Case:
    """One of its DNS names has an empty label.

    Two full stops stand side by side.
    """
    return beside(case, dns("a..test"))


@fault("P", "lint", _CABF, finds=("name-syntax",))
def san_hyphen_start(case: Case) -> Case:
    """One of its DNS names begins with a hyphen.

    Labels begin with a letter or a digit.
    """
    return beside(case, dns("-a.test"))


@fault("P", "lint", _CABF, finds=("name-syntax",))
def san_ip_in_dns(case: Case) -> Case:
    """One of its DNS names is an IP address.

    Addresses have a kind of their own.
    """
    return beside(case, dns("10.0.0.1"))


@fault("P", "lint", _CABF, finds=("name-syntax",))
def san_url_in_dns(case: Case) -> Case:
    """One of its DNS names is a URL.

    URLs have a kind of their own.
    """
    return beside(case, dns("https://host.test/"))


@fault("R", "name", "RFC 1034 3.1", finds=("path:hostname", "cn-in-san", "name-syntax"))
def san_trailing_dot(case: Case) -> Case:
    """Its only DNS name ends with a full stop.

    Certificates have names without it.
    """
    return _only(case, dns(f"{_host(case)}."))


@fault("R", "name", "RFC 9525 6.3", finds=("path:hostname", "cn-in-san", "name-syntax"))
def san_wildcard_only(case: Case) -> Case:
    """Its only DNS name is '*'.

    A wildcard stands for one label in front of others.
    """
    return _only(case, dns("*"))


@fault("V", "name", "RFC 9525 6.3", finds=("path:hostname", "cn-in-san"))
def san_wildcard_tld(case: Case) -> Case:
    """Its only DNS name is a wildcard for every host of a top-level domain.

    Its host is one of them, so by the letter it matches; some clients want two labels after the wildcard.
    """
    labels = held_dns_names(case)[0].split(".")
    if len(labels) < 2:
        raise Impossible("a DNS name of the sound certificate is a single label")
    host = f"{shortened('-'.join(labels[:-1]), 63)}.{labels[-1]}"
    renamed = replace(case, entity=replace(case.entity, hosts=(host,)))
    if common_name(case.plan.subject):
        renamed = renamed.with_attribute("CN", host)
    return _only(renamed, dns(f"*.{labels[-1]}"))


@fault("R", "name", "RFC 9525 6.3", finds=("path:hostname", "cn-in-san", "name-syntax"))
def san_wildcard_partial(case: Case) -> Case:
    """Its only DNS name has a wildcard for a part of a label.

    A wildcard stands for a whole label.
    """
    host = _host(case)
    return _only(case, dns(f"{host[0]}*.{host.partition('.')[2]}"))


@fault("R", "name", "RFC 9525 6.3", finds=("path:hostname", "cn-in-san", "name-syntax"))
def san_wildcard_not_leftmost(case: Case) -> Case:
    """Its only DNS name has a wildcard in the second label.

    A wildcard is the left-most label.
    """
    first, _, rest = _host(case).partition(".")
    return _only(case, dns(f"{first}.*.{rest.partition('.')[2]}"))


@fault("P", "lint", "CABF BR 3.2.2.6")
def san_wildcard_public_suffix(case: Case) -> Case:
    """One of its DNS names is a wildcard below a public suffix.

    It would be for everybody's hosts there.
    """
    return beside(case, dns("*.co.uk"))


@fault(
    "V",
    "parse",
    "4.2.1.6",
    finds=("path:malformed", "san-not-empty", "names-in-san", "cn-in-san", "name-syntax"),
)
def san_ip_bad_length(case: Case) -> Case:
    """One of its IP addresses has three octets.

    There are 4 or 16.
    """
    return beside(case, der.tlv(0x87, b"\x0a\x00\x01"))


@fault("P", "lint", "4.2.1.6", finds=("name-syntax",))
def san_bad_email(case: Case) -> Case:
    """One of its e-mail addresses has no @.

    It is no mailbox.
    """
    return beside(case, der.tlv(0x81, b"nobody"))


@fault("P", "lint", "4.2.1.6", finds=("name-syntax",))
def san_relative_uri(case: Case) -> Case:
    """One of its URIs is relative.

    It must be absolute.
    """
    return beside(case, der.tlv(0x86, b"path/only"))


@fault("P", "lint", "4.2.1.6")
def san_duplicate(case: Case) -> Case:
    """It has one of its names twice.

    Once would do.
    """
    return beside(case, held_names(case)[0])


@fault("V", "parse", "4.2.1.6", finds=("path:no-issuer", "path-valid", "chain-of-trust"))
def san_unknown_tag(case: Case) -> Case:
    """One of its names is of a kind that there is not.

    The kinds are numbered from 0 to 8.
    """
    return beside(case, der.tlv(0x89, b"x"))


@fault("A", "path", "4.2.1.6")
def san_1000(case: Case, *, names: int = 1_000) -> Case:
    """It has a thousand names more, if no other number is said.

    A control: large, and nothing is wrong with it.
    """
    return beside(case, *(dns(f"host-{number}.test") for number in range(names)))


@fault("A", "path", "4.2.1.6")
def san_10000(case: Case) -> Case:
    """It has ten thousand names more.

    A control: very large; TLS libraries may have limits of their own.
    """
    return beside(case, *(dns(f"host-{number}.test") for number in range(10_000)))
