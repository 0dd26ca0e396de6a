"""Runs the path tests of a built environment with pkigen's own path validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from pkigen.environment.environment import Environment
from pkigen.environment.manifest import schema
from pkigen.inspection.artifacts import read_path
from pkigen.inspection.path import PathResult, PolicyOptions, validate
from pkigen.x509 import Certificate, CertificateList


@dataclass(frozen=True)
class PathTestFiles:
    """The files of a path test, relative to the environment: what any path validator needs."""

    certificate: str
    chain: tuple[str, ...]
    trust: tuple[str, ...]
    crls: tuple[str, ...]


@dataclass(frozen=True)
class PathTestResult:
    """A test and its result; ``passed`` is None if pkigen cannot decide it."""

    test: schema.PathTest
    files: PathTestFiles
    result: PathResult

    @property
    def passed(self) -> bool | None:
        """Whether the verdict is the required one."""
        if self.result.undecided:
            return None
        return self.result.ok is (self.test.expect == "accept")


@dataclass
class PathTestRun:
    """Runs the path tests of an environment, in the order of the profile, at an instant."""

    environment: Environment
    at: datetime

    def results(self) -> Iterator[PathTestResult]:
        """Yield the result of each test."""
        read = _Reader(self.environment.folder)
        for test in self.environment.contents.path_tests:
            files = self.files(test)
            (leaf, *_) = read.certificates(files.certificate)
            anchors = [certificate for path in files.trust for certificate in read.certificates(path)]
            result = validate(
                leaf,
                [certificate for path in files.chain for certificate in read.certificates(path)],
                anchors,
                at=self.at,
                crls=[crl for path in files.crls for crl in read.crls(path)],
                check_crls=bool(files.crls),
                host=test.host,
                purpose=test.purpose,
                partial=not any(anchor.is_self_issued for anchor in anchors),
                reject_sha1=test.reject_sha1,
                policy=PolicyOptions(
                    frozenset(test.policies),
                    test.explicit_policy,
                    test.inhibit_mapping,
                    test.inhibit_any_policy,
                ),
            )
            yield PathTestResult(test, files, result)

    def files(self, test: schema.PathTest) -> PathTestFiles:
        """Return the files of a test."""
        case = self._cases[test.certificate]
        names = dict.fromkeys((*(test.chain or case.path), *test.authorities))
        authorities = [self._authorities[name] for name in names]
        trust = [self._authorities[name].files["certificate"] for name in test.trust]
        crls = [crl for authority in authorities if (crl := authority.crl) is not None]
        return PathTestFiles(
            case.files["certificate"],
            tuple(authority.files["certificate"] for authority in authorities),
            tuple(trust) or (self.environment.contents.trust,),
            tuple(file for crl in crls for file in (crl.file, *(part.file for part in crl.parts))),
        )

    @cached_property
    def _cases(self) -> dict[str, schema.Case]:
        return {case.name: case for case in self.environment.contents.cases}

    @cached_property
    def _authorities(self) -> dict[str, schema.Authority]:
        return {authority.name: authority for authority in self.environment.contents.authorities}


class _Reader:
    """Reads the certificates and CRLs of an environment, each file once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._certificates = dict[str, list[Certificate]]()
        self._crls = dict[str, list[CertificateList]]()

    def certificates(self, path: str) -> list[Certificate]:
        if path not in self._certificates:
            artifacts = read_path(self._folder / path)
            self._certificates[path] = [one.certificate for one in artifacts if one.certificate is not None]
        return self._certificates[path]

    def crls(self, path: str) -> list[CertificateList]:
        if path not in self._crls:
            self._crls[path] = [one.crl for one in read_path(self._folder / path) if one.crl is not None]
        return self._crls[path]
