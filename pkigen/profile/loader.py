"""Document -> Profile: reads, merges, expands and validates a document; reports all errors at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pkigen.documents import limits, shipped
from pkigen.documents.validation import keys_of
from pkigen.documents.yaml_tree import (
    Table,
    Text,
    folder_of,
    from_python,
    locate,
    parse,
    size,
)
from pkigen.errors import InputError, Location, Problem, visible
from pkigen.files import read_file
from pkigen.profile.checks import Checks
from pkigen.profile.enrolment import MOST_TEMPLATES, NOT_IN_TEMPLATES, Template, TemplateSettings
from pkigen.profile.expansion import Body, InstanceError, Spec
from pkigen.profile.fleets import (
    MOST_FLEETS,
    NOT_IN_FLEETS,
    Fleet,
    FleetSettings,
    fields_of_certificates,
)
from pkigen.profile.inheritance import (
    Likeness,
    Made,
    given,
    inherit,
    merge,
    without,
)
from pkigen.profile.inventory import Row, read_table
from pkigen.profile.messages import messages_of, unknown_key_of
from pkigen.profile.names import check_name, parse_pattern
from pkigen.profile.profile import Profile
from pkigen.profile.specifications import AuthoritySpec, CertificateSpec
from pkigen.profile.top_level import Head, read_head

Settings = TypeVar("Settings", bound=BaseModel)
_KNOWN = tuple({*keys_of(AuthoritySpec), *keys_of(CertificateSpec)})
_BESIDE_FROM = ("from", "like", "each", "crl", "share_key", "formats", "key_format", "passphrase", "pkcs12")


def load(
    source: str | Path | Mapping[str, Any], *, folder: Path | None = None, base_url: str | None = None
) -> Profile:
    """Return the profile in a file, with a shipped name, or in a mapping.

    Paths of a mapping are relative to ``folder`` (default: the working directory); ``base_url`` overrides
    the profile's value. Raises InputError with every problem of the profile.
    """
    try:
        if isinstance(source, Mapping):
            tree, path = from_python(source), None
            assert isinstance(tree, Table)
        else:
            path = shipped.find(source)
            tree, folder = _read(path), path.parent
        return _Loader(tree, path, folder or Path(), base_url).load()
    except InputError as error:
        raise InputError([_in_one_line(problem) for problem in error.problems]) from error


def _in_one_line(problem: Problem) -> Problem:
    """Return a problem with a single-line message."""
    suggestion = visible(problem.suggestion or "") or None
    return replace(
        problem, message=visible(problem.message), where=visible(problem.where), suggestion=suggestion
    )


def _read(path: Path) -> Table:
    try:
        return parse(read_file(path, limits.FILE_BYTES), str(path))
    except ValueError as error:
        raise InputError(str(error)) from error


class _Loader:
    def __init__(self, tree: Table, path: Path | None, folder: Path, base_url: str | None) -> None:
        self._tree = tree
        self._base_url = base_url
        self._path = path
        self._folder = folder
        self._problems: list[Problem] = []
        self._tables: dict[Path, tuple[Row, ...]] = {}

    def load(self) -> Profile:
        self._tree = self._extended()
        if self._base_url is not None:
            self._tree = merge(self._tree, Table({"base_url": Text(self._base_url)}))
        head = read_head(self._tree, self._problems)
        authorities = self._bodies(AuthoritySpec, "authorities", head)
        certificates = self._bodies(CertificateSpec, "certificates", head)
        templates = tuple(self._templates(head))
        fleets = tuple(self._fleets(head))
        requested = self._body_of_requests(head)
        profile = Profile(
            head,
            self._path,
            authorities,
            certificates,
            templates,
            fleets,
            requested,
            self._tree,
            self._folder,
            self._base_url,
        )
        mentioned = frozenset(self._section("authorities"))
        Checks(profile, mentioned, self._problems, limits.PROBLEMS).run()
        self._stop_if_wrong()
        return profile

    def _stop_if_wrong(self) -> None:
        """Raise all problems, without duplicates: inherited errors have one location."""
        if self._problems:
            seen = {
                (p.location, p.message) if p.location else (p.where, p.message): p for p in self._problems
            }
            problems = sorted(seen.values(), key=self._position)
            raise InputError(problems[: limits.PROBLEMS])

    def _position(self, problem: Problem) -> tuple[bool, str, int, int]:
        """Return the sort key of a problem: the order of the profile, then of other files."""
        place = problem.location or Location("")
        return place.file != str(self._path), place.file, place.line, place.column

    def _extended(self) -> Table:
        """Return the document merged over the one that it extends."""
        named = self._tree.get("extends")
        if named is None:
            return self._tree
        place = locate(self._tree, ("extends",))
        if not isinstance(named, Text) or not named:
            raise InputError(Problem("this must be the path of a profile", "extends", place))
        try:
            path = shipped.find(named, self._folder)
            base = _read(path)
        except InputError as error:
            if error.problems[0].location is not None:
                raise
            raise InputError(Problem(error.problems[0].message, "extends", place)) from error
        if "extends" in base:
            words = f"{path} extends another profile itself; only one level is read"
            raise InputError(Problem(words, "extends", place))
        return merge(base, without(self._tree, ("extends",)))

    def _bodies(self, model: type[Spec], section: str, head: Head) -> tuple[Body[Spec], ...]:
        tree = self._section(section)
        defaults = self._defaults(model)
        common = {"environment": head.name, "base_url": head.base_url}
        likeness = Likeness(tree, self._made(tree, section, common), section)
        bodies, nodes = [], 0
        for key, own in tree.items():
            where, place = f"{section}.{key}", locate(tree, (key,))
            if not isinstance(own, Table):
                if own == "":
                    own = Table()
                    own.location = place
                else:
                    self._problems.append(Problem("this must be a mapping", where, place))
                    continue
            self._check_brought(own, where)
            if "name" in own:
                words = "unknown key 'name': the key above it is the name"
                self._refuse(own, f"{where}.name", ("name",), words)
            above, lent = likeness.above(key)
            merged = given(inherit(defaults, above, without(own, ("like", "each"))))
            nodes += size(merged)
            if nodes > limits.INHERITED_NODES:
                words = f"more than {limits.INHERITED_NODES} nodes once all is inherited"
                raise InputError(Problem(words, where, place))
            if "csr" in merged:
                merged = _without_default_subject(merged, inherit(Table(), above, own))
            else:
                _name_the_subject(merged)
            try:
                pattern = parse_pattern(key)
                rows = self._rows(own, where)
            except (ValueError, InputError) as error:
                self._add(error, where, place)
                continue
            variables = {**lent, **common}
            bodies.append(Body(model, section, key, merged, pattern, rows, variables, self._folder))
        self._problems += likeness.problems
        return tuple(bodies)

    def _templates(self, head: Head) -> Iterator[Template]:
        """Yield the templates of the section ``enrolment``, which can be ``like`` a certificate."""
        keys = tuple(TemplateSettings.model_fields)
        section = self._derived_section("enrolment", MOST_TEMPLATES, "templates")
        bodies = {key: without(own, keys) for key, own in section.items()}
        for key, body in self._derived_bodies("enrolment", bodies, NOT_IN_TEMPLATES, "a template", head):
            settings = self._settings(f"enrolment.{key}", section[key], TemplateSettings)
            if settings is not None:
                yield Template(key, body, settings, frozenset(section[key]))

    def _fleets(self, head: Head) -> Iterator[Fleet]:
        """Yield the fleets, which can be ``like`` a certificate."""
        section = self._derived_section("fleets", MOST_FLEETS, "fleets")
        bodies = {key: fields_of_certificates(own) for key, own in section.items()}
        excluded = (*NOT_IN_FLEETS, "revoked", "faults")
        for key, body in self._derived_bodies("fleets", bodies, excluded, "a fleet", head):
            settings = self._settings(f"fleets.{key}", section[key], FleetSettings)
            if settings is not None:
                yield Fleet(key, body, settings, section[key])

    def _derived_section(self, name: str, most: int, what: str) -> dict[str, Table]:
        """Return the bodies of a section whose bodies can be ``like`` a certificate; report wrong ones."""
        section, certificates = self._section(name), self._section("certificates")
        if len(section) > most:
            self._refuse(self._tree, name, (name,), f"more than {most} {what}")
            return {}
        bodies = dict[str, Table]()
        for key, own in section.items():
            where = f"{name}.{key}"
            if key in certificates:
                self._refuse(section, where, (key,), "a certificate has this name; choose another")
            elif not isinstance(own, Table):
                self._refuse(section, where, (key,), "this must be a mapping")
            elif (wrong := check_name(key)) is not None:
                self._refuse(section, where, (key,), wrong)
            else:
                bodies[key] = own
        return bodies

    def _derived_bodies(
        self, section: str, owned: Mapping[str, Table], excluded: tuple[str, ...], what: str, head: Head
    ) -> Iterator[tuple[str, Body[CertificateSpec]]]:
        """Yield the inherited bodies of a section; ``excluded`` are the keys that they cannot have."""
        tree, certificates = self._section(section), self._section("certificates")
        bodies, common = certificates.copy(), {"environment": head.name, "base_url": head.base_url}
        for key, own in owned.items():
            bodies.put(key, own, locate(tree, (key,)))
        likeness = Likeness(bodies, self._made(bodies, "certificates", common), section)
        defaults = self._defaults(CertificateSpec)
        for key, own in owned.items():
            for name in excluded:
                if name in own:
                    self._refuse(own, f"{section}.{key}.{name}", (name,), f"{what} cannot have this key")
            above, lent = likeness.above(key)
            inherited = without(inherit(defaults, above, Table()), excluded)
            merged = given(inherit(inherited, Table(), without(own, ("like",))))
            _name_the_subject(merged)
            pattern, variables = parse_pattern(key), {**lent, **common}
            yield key, Body(CertificateSpec, section, key, merged, pattern, None, variables, self._folder)
        self._problems += likeness.problems

    def _body_of_requests(self, head: Head) -> Body[CertificateSpec]:
        """Return the body of a certificate that is requested without a template: the defaults."""
        tree = given(self._defaults(CertificateSpec))
        _name_the_subject(tree)
        common = {"environment": head.name, "base_url": head.base_url}
        return Body(CertificateSpec, "defaults", "", tree, parse_pattern("x"), None, common, self._folder)

    def _settings(self, where: str, own: Table, model: type[Settings]) -> Settings | None:
        """Return the keys of a body that are not fields of a certificate; None if they are wrong."""
        fields = {name: own[name] for name in model.model_fields if name in own}
        try:
            return model.model_validate(fields, context={"folder": self._folder})
        except ValidationError as error:
            for path, words, suggestion in messages_of(error, model, where.partition(".")[0], own):
                place = locate(own, path) or own.location
                self._problems.append(Problem(words, ".".join((where, *map(str, path))), place, suggestion))
            return None

    def _made(self, section: Table, where: str, common: Mapping[str, str]) -> dict[str, Made]:
        """Return the generated names that ``like`` refers to, with their origins and variables.

        Runs a single pass for all names, because a section can generate very many names.
        """
        likes = (own.get("like") for own in section.values() if isinstance(own, Table))
        names = {like for like in likes if isinstance(like, Text) and like not in section}
        origins, left = dict[str, Made](), limits.CERTIFICATES
        for key, own in section.items() if names else ():
            if not isinstance(own, Table) or ("{" not in key and "each" not in own):
                continue
            try:
                pattern, rows = parse_pattern(key), self._rows(own, f"{where}.{key}")
                body = Body(CertificateSpec, "", key, Table(), pattern, rows, common, self._folder)
                instances = islice(body.instances(), left)
                left -= min(left, body.count)
                origins |= {made.name: (key, made.variables) for made in instances if made.name in names}
            except (ValueError, InputError, InstanceError):
                continue  # reported when its own body is expanded
        return origins

    def _check_brought(self, own: Table, where: str) -> None:
        """Report fields that the certificate of an imported authority already determines."""
        for key in own if "from" in own else ():
            if key not in _BESIDE_FROM:
                words = "an authority that is imported from files cannot have this key"
                self._refuse(own, f"{where}.{key}", (key,), words)

    def _section(self, name: str) -> Table:
        tree = self._tree.get(name, Table())
        if isinstance(tree, Table):
            return tree
        if tree != "":
            self._refuse(self._tree, name, (name,), "this must be a mapping of names")
        return Table()

    def _defaults(self, model: type[Spec]) -> Table:
        """Return the defaults for the fields of a model; report unknown fields as a problem."""
        defaults = self._section("defaults")
        for key in defaults:
            if key not in _KNOWN:
                place = locate(defaults, (key,))
                words, suggestion = unknown_key_of("defaults", key, defaults[key], _KNOWN)
                self._problems.append(Problem(words, f"defaults.{key}", place, suggestion))
        return without(defaults, tuple(key for key in defaults if key not in keys_of(model)))

    def _rows(self, own: Table, where: str) -> tuple[Row, ...] | None:
        named = own.get("each")
        if named is None:
            return None
        if not isinstance(named, Text) or not named:
            self._refuse(own, f"{where}.each", ("each",), "this must be the path of a CSV file")
            return ()
        path = folder_of(named, self._folder) / named
        if path not in self._tables:
            try:
                self._tables[path] = read_table(path)
            except InputError as error:
                self._tables[path] = ()
                self._add(error, f"{where}.each", locate(own, ("each",)))
        return self._tables[path]

    def _refuse(self, tree: Table, where: str, path: tuple[str, ...], words: str) -> None:
        self._problems.append(Problem(words, where, locate(tree, path)))

    def _add(self, error: Exception, where: str, place: Any) -> None:
        """Add problems; a problem without a location gets the given one."""
        if isinstance(error, InputError):
            self._problems += [p if p.location else Problem(p.message, where, place) for p in error.problems]
        else:
            self._problems.append(Problem(str(error), where, place))


def _without_default_subject(merged: Table, own: Table) -> Table:
    """Return a body whose subject comes from its request, unless the certificate itself sets one."""
    return merged if "subject" in own else without(merged, ("subject",))


def _name_the_subject(merged: Table) -> None:
    """Set a missing common name to the name of the entity."""
    subject = merged.get("subject", Table())
    if isinstance(subject, Table) and not any("CN" in key.split("+") for key in subject):
        named = subject.copy()
        named.put("CN", Text("{{ name }}"), None)
        merged.put("subject", named, merged.key_locations.get("subject"))
