"""Certificate policies and policy mappings (RFC 5280, 4.2.1.4 and 4.2.1.5)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put, value_of
from pkigen.documents.fields import Parsed, parse_oid
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate
from pkigen.x509.decode import decoder

Qualifiers = list[tuple[str, bytes]]
_OTHER = "1.3.6.1.4.1.55738.99.2"
_LONGEST_TEXT = 200


def _parse_policy(text: str) -> str:
    return oids.ANY_POLICY if text == "any" else parse_oid(text)


PolicyOid = Annotated[str, Parsed(_parse_policy, "an OID, or any for anyPolicy")]


@demand
class CertificatePolicies(Demand):
    """The policies of a certificate and their qualifiers.

    ``exactly_one_of``: the certificate has exactly one of these policies; ``others`` decides whether it may
    have further ones. It has all policies of ``contains``. ``qualifiers: forbidden``: no policy has a
    qualifier. ``cps_uri``: a policy has the URI of a certification practice statement. ``once``: no
    policy is repeated. ``any_qualifiers``: anyPolicy has no other qualifiers than practice statements and
    user notices. ``explicit_text``: the text of a user notice is not an
    IA5String, and has at most 200 characters.
    """

    kind: ClassVar[str] = "certificate_policies"
    field: ClassVar[str | None] = oids.CERTIFICATE_POLICIES
    blame: ClassVar[tuple[str, ...]] = ("policies",)

    required: bool = False
    contains: tuple[PolicyOid, ...] = ()
    exactly_one_of: tuple[PolicyOid, ...] = ()
    forbidden: tuple[PolicyOid, ...] = ()
    others: Literal["allowed", "forbidden"] = "allowed"
    qualifiers: Literal["allowed", "forbidden"] = "allowed"
    cps_uri: bool = False
    once: bool = False
    any_qualifiers: bool = False
    explicit_text: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> CertificatePolicies:
        if not self.model_fields_set:
            fields = ", ".join(type(self).model_fields)
            raise ValueError(f"no condition given; set at least one of {fields}")
        if self.others == "forbidden" and not (self.exactly_one_of or self.contains):
            raise ValueError("'others: forbidden' needs 'exactly_one_of' or 'contains'")
        if both := [one for one in self.forbidden if one in {*self.contains, *self.exactly_one_of}]:
            raise ValueError(f"the policy {both[0]} cannot be demanded and forbidden")
        if len({*self.contains} & {*self.exactly_one_of}) > 1:
            raise ValueError("'contains' has more than one policy of 'exactly_one_of'")
        if self.cps_uri and self.qualifiers == "forbidden":
            raise ValueError("'cps_uri' contradicts 'qualifiers: forbidden'")
        if self.any_qualifiers and self.qualifiers == "forbidden":
            raise ValueError("'any_qualifiers' adds nothing to 'qualifiers: forbidden'")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check the list of policies, then the qualifiers of each policy."""
        policies = certificate.extensions.certificate_policies
        if policies is None:
            required = self.required or self.exactly_one_of or self.contains or self.cps_uri
            missing = failed("no certificate policies", "a policy")
            return missing if required else not_applicable("there are no certificate policies")
        text = ", ".join(policies) or "no policy"
        matching = [oid for oid in policies if oid in self.exactly_one_of]
        if self.exactly_one_of and len(matching) != 1:
            return failed(text, f"exactly one of {', '.join(self.exactly_one_of)}")
        if lacking := [oid for oid in self.contains if oid not in policies]:
            return failed(text, f"the policy {', '.join(lacking)}")
        expected = {*self.contains, *matching}
        if self.others == "forbidden" and not expected.issuperset(policies):
            return failed(text, f"{', '.join(sorted(expected))} alone")
        if excluded := [oid for oid in policies if oid in self.forbidden]:
            return failed(text, f"no {', '.join(excluded)}")
        if self.once and len(set(policies)) < len(policies):
            return failed(text, "each policy once")
        return self._check_qualifiers(certificate) or passed(text)

    def _check_qualifiers(self, certificate: Certificate) -> Outcome | None:
        decoded = certificate.extensions.get(oids.CERTIFICATE_POLICIES, _qualifiers) or []
        if self.cps_uri and not any(_has_uri(qualifiers) for _, qualifiers in decoded):
            return failed("no URI of a practice statement", "the URI of a practice statement")
        for policy, qualifiers in decoded:
            if self.qualifiers == "forbidden" and qualifiers:
                return failed(f"a qualifier of {policy}", "no qualifiers")
            if self.any_qualifiers and (other := _other_qualifiers(policy, qualifiers)):
                return failed(f"qualifier {', '.join(other)}", "only practice statements and user notices")
            if self.explicit_text and (problem := _text_problem(qualifiers)):
                return failed(problem, f"a UTF8String of at most {_LONGEST_TEXT} characters")
        return None

    def violations(self) -> Iterator[Violation]:
        """Missing, another policy, a forbidden one, a repeated one; another qualifier; a long text."""
        oid, listed = oids.CERTIFICATE_POLICIES, self._listed()
        policies = [self._policy(one) for one in listed]
        other = self._policy(_OTHER)
        if self.required or self.exactly_one_of or self.contains or self.cps_uri:
            says = "The certificate has no certificate policies."
            yield Violation("missing", says, lambda case: case.without_extension(oid))
        if self.exactly_one_of:
            says = "The certificate has none of the required policies."
            rest = [self._policy(one) for one in self.contains if one not in self.exactly_one_of]
            yield _with_policies("other", says, *(rest or [other]))
        if len(self.exactly_one_of) > 1:
            says = "The certificate has two of the policies that exclude each other."
            second = next(one for one in self.exactly_one_of if one not in listed)
            yield _with_policies("two", says, *policies, self._policy(second))
        for one in self.contains:
            rest = [self._policy(policy) for policy in listed if policy != one]
            says = f"The certificate does not have the policy {one}."
            yield _with_policies(f"without-{one.replace('.', '-')}", says, *(rest or [other]))
        if self.others == "forbidden":
            yield _with_policies("further", "The certificate has a further policy.", *policies, other)
        for one in self.forbidden:
            name = "any-policy" if one == oids.ANY_POLICY else one.replace(".", "-")
            says = f"The certificate has the policy {one}."
            yield _with_policies(name, says, *policies, self._policy(one))
        if self.once:
            says = "The certificate has the same policy twice."
            yield _with_policies("repeated", says, *(policies or [other]), other, other)
        yield from self._of_qualifiers()

    def _of_qualifiers(self) -> Iterator[Violation]:
        listed = self._listed()
        policies = [self._policy(one) for one in listed]
        if self.cps_uri:
            says = "No policy has the URI of a practice statement."
            yield _with_policies("no-cps-uri", says, *map(_policy, listed or [_OTHER]))
        if self.qualifiers == "forbidden":
            says = "A policy has the URI of a practice statement."
            yield Violation("qualifier", says, partial(_with_uri, listed or [_OTHER]))
        if self.any_qualifiers:
            qualifier = der.sequence(der.oid(_OTHER), der.string(der.UTF8_STRING, "x"))
            says = "anyPolicy has an unknown qualifier."
            yield _with_policies("qualifier", says, *policies, _policy(oids.ANY_POLICY, qualifier))
        if self.explicit_text:
            for variant, says, text in (
                ("long-text", "The user notice has 201 characters.", der.string(der.UTF8_STRING, "x" * 201)),
                ("ia5-text", "The user notice is an IA5String.", der.string(der.IA5_STRING, "x")),
            ):
                qualifier = der.sequence(der.oid(oids.USER_NOTICE), der.sequence(text))
                yield _with_policies(variant, says, *policies, _policy(_OTHER, qualifier))

    def _listed(self) -> list[str]:
        """Return the policies of a certificate that satisfies the demand."""
        chosen = [one for one in self.exactly_one_of if one in self.contains] or self.exactly_one_of[:1]
        return list(dict.fromkeys((*self.contains, *chosen)))

    def _policy(self, oid: str) -> bytes:
        """Return a policy with the qualifier that the demand requires."""
        return _policy(oid, *([_URI] if self.cps_uri else []))


@decoder("the certificate policies extension")
def _qualifiers(data: bytes) -> list[tuple[str, Qualifiers]]:
    """Return each policy with its qualifiers: their OIDs and values."""
    policies = []
    for policy in der.children(data):
        oid, *lists = der.children(policy)
        pairs = (der.children(one) for part in lists for one in der.children(part))
        policies.append((der.dotted(oid), [(der.dotted(kind), value) for kind, value in pairs]))
    return policies


def _other_qualifiers(policy: str, qualifiers: Qualifiers) -> list[str]:
    if policy != oids.ANY_POLICY:
        return []
    return [oid for oid, _ in qualifiers if oid not in (oids.PRACTICE_STATEMENT, oids.USER_NOTICE)]


@decoder("a user notice")
def _text_problem(qualifiers: Qualifiers) -> str:
    notices = [der.children(value) for oid, value in qualifiers if oid == oids.USER_NOTICE]
    for text in (part for notice in notices for part in notice if part[0] != der.SEQUENCE):
        if text[0] == der.IA5_STRING:
            return "an explicit text that is an IA5String"
        characters = der.contents(text).decode(
            "utf-16-be" if text[0] == der.BMP_STRING else "utf-8", "replace"
        )
        if len(characters) > _LONGEST_TEXT:
            return f"an explicit text of {len(characters)} characters"
    return ""


def _policy(oid: str, *qualifiers: bytes) -> bytes:
    return der.sequence(der.oid(oid), *([der.sequence(*qualifiers)] if qualifiers else []))


_URI = der.sequence(
    der.oid(oids.PRACTICE_STATEMENT), der.string(der.IA5_STRING, "http://pki.example.test/cps")
)


@decoder("a qualifier of a policy")
def _has_uri(qualifiers: Qualifiers) -> bool:
    return any(
        oid == oids.PRACTICE_STATEMENT and value[0] == der.IA5_STRING and b"://" in der.contents(value)
        for oid, value in qualifiers
    )


def _with_uri(listed: list[str], case: Case) -> Case:
    """Add the URI of a practice statement to the last policy; ``listed`` are those of a case without any."""
    policies = [_policy(oid) for oid in listed]
    if case.extension(oids.CERTIFICATE_POLICIES) is not None:
        policies = der.children(value_of(case, oids.CERTIFICATE_POLICIES))
    *others, last = policies
    oid = der.children(last)[0]
    changed = der.sequence(oid, der.sequence(_URI))
    return put(case, oids.CERTIFICATE_POLICIES, der.sequence(*others, changed))


def _with_policies(variant: str, says: str, *policies: bytes) -> Violation:
    change = partial(put, oid=oids.CERTIFICATE_POLICIES, value=der.sequence(*policies))
    return Violation(variant, says, change)


@demand
class PolicyMappings(Demand):
    """The policy mappings of a CA.

    ``no_any_policy``: anyPolicy is not mapped, in either direction. ``declared``: the certificate policies
    contain every issuer domain policy.
    """

    kind: ClassVar[str] = "policy_mappings"
    field: ClassVar[str | None] = oids.POLICY_MAPPINGS
    blame: ClassVar[tuple[str, ...]] = ("policy_mappings",)

    no_any_policy: bool = False
    declared: bool = False

    @model_validator(mode="after")
    def _has_a_condition(self) -> PolicyMappings:
        if not (self.no_any_policy or self.declared):
            raise ValueError("no condition given; set at least one of no_any_policy, declared")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check each mapping."""
        mappings = certificate.extensions.policy_mappings
        if mappings is None:
            return not_applicable("there are no policy mappings")
        text = ", ".join(" to ".join(pair) for pair in mappings)
        if self.no_any_policy and any(oids.ANY_POLICY in pair for pair in mappings):
            return failed(text, "no mapping of anyPolicy")
        declared = certificate.extensions.certificate_policies or ()
        if self.declared and (missing := [issuer for issuer, _ in mappings if issuer not in declared]):
            return failed(text, f"{', '.join(missing)} in the certificate policies")
        return passed(text)

    def violations(self) -> Iterator[Violation]:
        """A mapping from and to anyPolicy; a mapping of a policy that the certificate does not have."""
        if self.no_any_policy:
            for variant, mapping in (
                ("from-any", (oids.ANY_POLICY, _OTHER)),
                ("to-any", (_OTHER, oids.ANY_POLICY)),
            ):
                says = f"The policy mappings map {variant.replace('-any', '')} anyPolicy."
                yield Violation(variant, says, partial(_mapped, mapping), "path")
        if self.declared:
            says = "The policy mappings map a policy that the certificate does not have."
            yield Violation("undeclared", says, partial(_mapped, (_OTHER, f"{_OTHER}.1")))


def _mapped(mapping: tuple[str, str], case: Case) -> Case:
    if case.plan.issuer_id == case.entity.id:
        raise Impossible("path validation ignores the policy mappings of a root")
    if case.extension(oids.CERTIFICATE_POLICIES) is None:
        case = put(case, oids.CERTIFICATE_POLICIES, der.sequence(_policy(oids.ANY_POLICY)))
    value = der.sequence(der.sequence(*map(der.oid, mapping)))
    return put(case, oids.POLICY_MAPPINGS, value, critical=True)
