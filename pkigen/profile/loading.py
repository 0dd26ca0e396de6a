"""Document -> Profile: read, merged, expanded, validated; every error at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pkigen.errors import InputError, Problem
from pkigen.profile import limits, shipped
from pkigen.profile.asked import close_to
from pkigen.profile.checks import Checks
from pkigen.profile.document import AuthoritySpec, CertificateSpec, keys_of
from pkigen.profile.head import Head, read_head
from pkigen.profile.inherit import Likeness, inherit, merge, without
from pkigen.profile.instances import Body, Spec
from pkigen.profile.names import parse_pattern
from pkigen.profile.profile import Profile
from pkigen.profile.table import Row, read_table
from pkigen.profile.tree import Table, Text, from_python, locate, parse

MOST_PROBLEMS = 100
_KNOWN = tuple({*keys_of(AuthoritySpec), *keys_of(CertificateSpec)})
_LATER = "{} come with a later release; leave this out for now"


def load(source: str | Path | Mapping[str, Any], *, folder: Path | None = None) -> Profile:
    """The profile in a file, of a shipped name, or in a mapping.

    ``folder`` is what a mapping's paths are relative to (the working folder by default). Every
    problem of the profile is in the InputError that it raises.
    """
    if isinstance(source, Mapping):
        tree, path = from_python(source), None
        assert isinstance(tree, Table)
    else:
        path = shipped.find(source)
        tree, folder = _read(path), path.parent
    loader = _Loader(tree, path, folder or Path())
    return loader.load()


def _read(path: Path) -> Table:
    try:
        with path.open("rb") as file:
            data = file.read(limits.FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path} cannot be read: {reason}") from error
    return parse(data, str(path))


class _Loader:
    def __init__(self, tree: Table, path: Path | None, folder: Path) -> None:
        self._tree = tree
        self._path = path
        self._folder = folder
        self._problems: list[Problem] = []
        self._tables: dict[Path, tuple[Row, ...]] = {}

    def load(self) -> Profile:
        self._tree = self._extended()
        head = read_head(self._tree, self._problems)
        authorities = self._bodies(AuthoritySpec, "authorities", head)
        certificates = self._bodies(CertificateSpec, "certificates", head)
        profile = Profile(head, self._path, authorities, certificates)
        mentioned = frozenset(self._section("authorities"))
        Checks(profile, mentioned, self._problems, MOST_PROBLEMS).run()
        self._stop_if_wrong()
        return profile

    def _stop_if_wrong(self) -> None:
        """Raise all problems, each once: what many inherit is wrong in one place."""
        if self._problems:
            seen = {
                (p.location, p.message) if p.location else (p.where, p.message): p for p in self._problems
            }
            raise InputError(list(seen.values())[:MOST_PROBLEMS])

    def _extended(self) -> Table:
        """The document on top of the one it extends."""
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
        likeness = Likeness(tree, lambda name: _find(tree, name), section)
        found = []
        for key, own in tree.items():
            where, place = f"{section}.{key}", locate(tree, (key,))
            if not isinstance(own, Table):
                if own == "":
                    own = Table()
                    own.location = place
                else:
                    self._problems.append(Problem("this must be a mapping", where, place))
                    continue
            if "faults" in own:
                self._refuse(tree, where, (key, "faults"), _LATER.format("faults"))
                continue
            merged = inherit(defaults, likeness.above(key), without(own, ("like", "each")))
            _name_the_subject(merged)
            try:
                pattern = parse_pattern(key)
                rows = self._rows(own, where)
            except (ValueError, InputError) as error:
                self._add(error, where, place)
                continue
            found.append(Body(model, section, key, merged, pattern, rows, common, self._folder))
        self._problems += likeness.problems
        return tuple(found)

    def _section(self, name: str) -> Table:
        tree = self._tree.get(name, Table())
        if isinstance(tree, Table):
            return tree
        if tree != "":
            self._refuse(self._tree, name, (name,), "this must be a mapping of names")
        return Table()

    def _defaults(self, model: type[Spec]) -> Table:
        """The defaults that a model knows; those that none knows are a problem."""
        defaults = self._section("defaults")
        for key in defaults:
            if key not in _KNOWN:
                place = locate(defaults, (key,))
                problem = Problem(f"unknown key '{key}'", f"defaults.{key}", place, close_to(key, _KNOWN))
                self._problems.append(problem)
        return without(defaults, tuple(key for key in defaults if key not in keys_of(model)))

    def _rows(self, own: Table, where: str) -> tuple[Row, ...] | None:
        named = own.get("each")
        if named is None:
            return None
        if not isinstance(named, Text) or not named:
            self._refuse(own, f"{where}.each", ("each",), "this must be the path of a CSV file")
            return ()
        path = self._folder / named
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
        """Problems that know their own place keep it; the others get this one."""
        if isinstance(error, InputError):
            self._problems += [p if p.location else Problem(p.message, where, place) for p in error.problems]
        else:
            self._problems.append(Problem(str(error), where, place))


def _find(section: Table, name: str) -> str | None:
    """The key of a section that a name means: the key itself, or the range that makes it."""
    if name in section:
        return name
    for key in section:
        try:
            pattern = parse_pattern(key)
        except ValueError:
            continue
        if pattern.ranges and any(made == name for made, _ in pattern):
            return key
    return None


def _name_the_subject(merged: Table) -> None:
    """Who is not given a common name is called by its own name."""
    subject = merged.get("subject", Table())
    if isinstance(subject, Table) and "CN" not in subject:
        named = subject.copy()
        named.put("CN", Text("{{ name }}"), None)
        merged.put("subject", named, merged.key_locations.get("subject"))
