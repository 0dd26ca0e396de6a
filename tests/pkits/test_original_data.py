"""``pkigen verify`` and NIST's own PKITS data: every verdict is NIST's, or "cannot say"."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pkigen.cli import main
from pkigen.inspection.path import validate
from tests.pkits.original import DATA, anchor, read_message
from tests.pkits.tests import PathTest, read_tests

AT = datetime(2020, 1, 1, tzinfo=UTC)
"""Within the validity of PKITS's certificates, which ends in 2030."""
UNDECIDED = {"4.1.5": "OpenSSL does not support DSA keys that inherit their parameters"}
TESTS = read_tests()


def test_the_table_has_all_tests() -> None:
    assert len({test.test for test in TESTS}) == 224


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.number)
def test_the_verdict_is_that_of_nist(test: PathTest) -> None:
    message = read_message(test.title)
    result = validate(
        message.leaf,
        message.others,
        [anchor()],
        at=AT,
        crls=message.crls,
        check_crls=True,
        policy=test.options,
    )
    reasons = [problem.message for problem in result.problems]
    assert result.undecided is (test.test in UNDECIDED), reasons
    assert result.undecided or result.ok is test.accepted, reasons


@pytest.mark.parametrize(("crl", "exit_code"), [("1", 0), ("2", 1)])
def test_the_command_reads_the_original_files(
    crl: str, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Test 4.14.28 with its indirect CRL, and with another one."""
    files = [DATA / "crls" / name for name in ("indirectCRLCA3CRL.crl", "indirectCRLCA3cRLIssuerCRL.crl")]
    if crl == "2":
        files[1] = DATA / "crls" / "indirectCRLCA4cRLIssuerCRL.crl"
    arguments = ["verify", DATA / "certs" / "ValidcRLIssuerTest28EE.crt", "--at", "2020-01-01T00:00Z"]
    arguments += ["--trust", DATA / "certs" / "TrustAnchorRootCertificate.crt"]
    for name in ("indirectCRLCA3Cert.crt", "indirectCRLCA3cRLIssuerCert.crt"):
        arguments += ["--chain", DATA / "certs" / name]
    for file in (*files, DATA / "crls" / "TrustAnchorRootCRL.crl"):
        arguments += ["--crl", file]
    assert main([str(argument) for argument in arguments]) == exit_code
    assert ("accepted" in capsys.readouterr().out) is (exit_code == 0)
