"""The table 'Where to add things' of ARCHITECTURE.md: an example of each row is added to a copy of pkigen.

An example may touch only the files of pkigen that its row names, and works without an entry in another list.
The rows also name pages of the documentation; tests of these pages report a missing entry.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.test_architecture import WHERE_TO_ADD
from tests.tools import ROOT, python


class Addition(NamedTuple):
    """One edit: ``text`` is inserted before ``before``, or appended; a new file has only ``text``."""

    path: str
    text: str
    before: str = ""


ADDITIONS: dict[str, tuple[Addition, ...]] = {
    "a fault": (
        Addition(
            "faults/families/names/attributes.py",
            '''

@fault("P", "lint", "X.520 6.3.1")
def example_fault(case: Case) -> Case:
    """The certificate subject has a country code with four letters.

    X.520 requires the two-letter code of ISO 3166; linters report it, most clients do not.
    """
    return case.with_attribute("C", "USAX")
''',
        ),
    ),
    "a kind of demand": (
        Addition(
            "requirements/demands/example_demand.py",
            '''"""An example."""

from pkigen.requirements.demand import Demand, demand
from pkigen.requirements.outcome import pass_or_fail


@demand
class ExampleDemand(Demand):
    """The certificate's version is known."""

    kind = "example_demand"
    field = "version"

    def check(self, subject):
        return pass_or_fail(subject.certificate.version in (1, 2, 3), "known version", "a known version")

    def violations(self):
        yield from ()
''',
        ),
    ),
    "a requirement set": (
        Addition(
            "requirements/sets/example-set.yaml",
            """name: example-set
title: An example
source: {title: "Example", date: "2026", note: "None."}
requirements:
  - id: known-version
    demand: {example_demand: {}}
    level: rejected
    section: "1"
    says: The version of the certificate is known.
""",
        ),
    ),
    "an output format": (
        Addition(
            "formats/output_formats.py",
            """

@output_format("example-format", "NAME.example", "an example")
def _example(issued: Issued, _entropy: Entropy) -> bytes:
    return issued.entity.name.encode()
""",
        ),
    ),
    "a validator": (
        Addition(
            "matrix/validators/example_validator.py",
            '''"""An example."""

from pkigen.matrix.registry import register
from pkigen.matrix.validators.openssl import OpenSSL

EXAMPLE = register(OpenSSL("example-validator", ("-partial_chain",)))
''',
        ),
    ),
    "an export target": (
        Addition(
            "export/targets/example_target.py",
            '''"""An example."""

from pkigen.export.case_files import exportable_cases
from pkigen.export.draft import Draft
from pkigen.export.target import target


@target("example.j2")
def example_target(draft: Draft) -> None:
    """An example."""
    for files in exportable_cases(draft, lambda files: None):
        draft.exported.append(files.case.name)
    draft.render("example.conf", "example.j2", names=draft.exported)
''',
        ),
        Addition("export/templates/example.j2", "{{ names | json }}\n"),
    ),
    "a command": (
        Addition(
            "cli/example_command.py",
            '''"""``pkigen example-command``."""


def example_command() -> None:
    """Print an example."""
    print("the output of the example")
''',
        ),
    ),
    "a typed extension": (
        Addition("asn1/oids.py", '\nEXAMPLE = "1.3.6.1.4.1.55555.77"\n'),
        Addition(
            "profile/specifications.py",
            "    example_extension: Annotated[bool, TypedExtension(oids.EXAMPLE)] = False\n",
            before="    extensions: tuple[RawExtension, ...] = ()\n",
        ),
        Addition(
            "plan/extensions.py",
            "\n\ndef example() -> Extension:\n"
            '    """Encode the example."""\n'
            '    return Extension("1.3.6.1.4.1.55555.77", False, der.null())\n',
        ),
        Addition(
            "plan/defaults.py",
            "    yield encode.example() if spec.example_extension else None\n",
            before="    yield encode.tls_feature() if",
        ),
    ),
    "a key kind": (
        Addition(
            "keys/kinds.py",
            '    KeyKind("ec-brainpoolp256r1", "ec", 256, "1.3.36.3.3.2.8.1.1.7", "BrainpoolP256R1", '
            '0xA9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7, "sha256"),\n',
            before='    KeyKind("ed25519", ',
        ),
    ),
}

_SCRIPT = """
import json, sys
from pathlib import Path
from pkigen import build
from pkigen.cli import main
from pkigen.export import TARGETS, ExportOptions, export
from pkigen.inspection.check import CheckOptions, check_environment
from pkigen.matrix import VALIDATORS
from pkigen.requirements import load_set

environment = build({
    "name": "additions",
    "defaults": {"key": "ec-brainpoolp256r1"},
    "authorities": {"root": {}},
    "certificates": {
        "a{1..2}": {"issuer": "root", "formats": ["example-format"], "example_extension": "true"},
        "b": {"issuer": "root"},
    },
    "negatives": [{"of": "b", "faults": ["example-fault"]}],
}, sys.argv[1])
directory = Path(sys.argv[1], "additions")
export(environment, TARGETS["example-target"], ExportOptions(out=Path(sys.argv[1], "export")))
example = load_set("example-set")
results = check_environment(directory, [example], CheckOptions())
print(json.dumps({
    "directory": str(directory),
    "faults": [case.fault for case in environment.cases() if case.fault],
    "requirements": [requirement.id for requirement in example.requirements],
    "checked": [result.name for result in results],
    "validators": [validator.name for validator in VALIDATORS],
}))
main(["example-command"])
"""


def _files(place: str) -> re.Pattern[str]:
    names = re.findall(r"`([\w./-]+)`", place)
    names = [re.sub(r"\b(?:NAME|FAMILY|SET)\b", "@", name) for name in names]
    patterns = [
        re.escape(name).replace("@", r"[\w-]+") + (r"[\w.-]+" if name[-1] == "/" else "") for name in names
    ]
    return re.compile("|".join(patterns))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Make all additions in a copy of the package, use each, and return what the script printed."""
    directory = tmp_path_factory.mktemp("additions")
    shutil.copytree(ROOT / "pkigen", directory / "pkigen", ignore=shutil.ignore_patterns("__pycache__"))
    for path, text, before in (addition for group in ADDITIONS.values() for addition in group):
        file = directory / "pkigen" / path
        source = file.read_text("utf-8") if file.exists() else ""
        assert not before or source.count(before) == 1, (
            f"{path}: the example inserts a line before '{before}'"
        )
        file.write_text(source.replace(before, text + before) if before else source + text, "utf-8")
    output = python("-c", _SCRIPT, directory / "out", environ={"PYTHONPATH": str(directory)}, cwd=directory)
    first, rest = output.split("\n", 1)
    return {**json.loads(first), "command": rest}


@pytest.mark.parametrize("subject", ADDITIONS)
def test_an_addition_touches_only_the_files_of_its_row(subject: str) -> None:
    (place,) = (place for name, place in WHERE_TO_ADD if name == subject)
    for addition in ADDITIONS[subject]:
        assert _files(place).fullmatch(addition.path), f"ARCHITECTURE.md, '{subject}': name {addition.path}"


def test_a_new_fault_makes_a_case(result: dict[str, Any]) -> None:
    assert result["faults"] == ["example-fault"]


def test_a_new_kind_of_demand_is_checked_by_a_new_requirement_set(result: dict[str, Any]) -> None:
    assert result["requirements"] == ["known-version"]
    assert {"a1", "a2", "b"} <= {*result["checked"]}


def test_a_new_output_format_is_written(result: dict[str, Any]) -> None:
    directory = Path(result["directory"], "certificates")
    assert [(directory / name / f"{name}.example").read_text() for name in ("a1", "a2")] == ["a1", "a2"]
    assert not list((directory / "b").glob("*.example"))


def test_a_new_validator_is_the_last_column_of_the_matrix(result: dict[str, Any]) -> None:
    assert result["validators"][-1] == "example-validator"


def test_a_new_export_target_renders_its_template(result: dict[str, Any]) -> None:
    text = Path(result["directory"]).parent.joinpath("export", "example.conf").read_text("utf-8")
    assert json.loads(text) == ["a1", "a2", "b", "b.example-fault"]


def test_a_new_command_runs(result: dict[str, Any]) -> None:
    assert result["command"] == "the output of the example\n"


def test_a_new_typed_extension_and_key_kind_are_in_the_certificates(result: dict[str, Any]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    for name, has_extension in (("a1", True), ("a2", True), ("b", False)):
        path = Path(result["directory"], "certificates", name, f"{name}.crt")
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        key = certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert isinstance(key.curve, ec.BrainpoolP256R1)
        oids = [extension.oid.dotted_string for extension in certificate.extensions]
        assert ("1.3.6.1.4.1.55555.77" in oids) is has_extension
