"""One hierarchy for all tests of paths, made once and only read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.inspection.path.certificates import Authority, root


@dataclass(frozen=True)
class Made:
    """A root, an issuing CA below it with a path length of 0, and CRLs of both."""

    root: Authority
    issuing: Authority
    leaf: Path
    folder: Path

    @property
    def chain(self) -> tuple[Path, ...]:
        return (self.issuing.certificate,)

    @property
    def trust(self) -> tuple[Path, ...]:
        return (self.root.certificate,)

    @property
    def crls(self) -> tuple[Path, ...]:
        return self.issuing.folder / "ca.crl", self.root.folder / "ca.crl"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("authorities")
    top = root(folder, "root")
    ca = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
    issuing = top.subordinate("issuing", ca)
    leaf = issuing.issue("leaf")
    issuing.crl()
    top.crl()
    return Made(top, issuing, leaf, folder)
