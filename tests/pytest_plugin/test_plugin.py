"""The plugin as users of pytest have it: fixtures, cases as parameters, mistakes, several workers."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import pytest

import pkigen

pytest_plugins = ["pytester"]

PROFILE = """\
name: fleet
defaults: {key: ec-p256}
authorities:
  root: {}
  issuing: {issuer: root}
certificates:
  sensor: {issuer: issuing, subject: {CN: sensor.contoso.test}}
  wild: {issuer: issuing, san: ["dns:*.contoso.test"]}
negatives:
  - {of: sensor, faults: [expired, not-yet-valid, san-wrong-host, revoked]}
"""
FETCH = """
import urllib.request

def fetch(url, context=None):
    with urllib.request.urlopen(url, context=context, timeout=20) as answer:
        return answer.read()
"""


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Import all modules of pkigen, because pytester removes modules that a run imports."""
    for module in pkgutil.walk_packages(pkigen.__path__, "pkigen."):
        if not module.name.endswith("__main__"):
            import_module(module.name)


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project whose tests use the profile ``fleet.yaml``."""
    pytester.makefile(".yaml", fleet=PROFILE)
    pytester.makepyfile(fetching=FETCH)
    pytester.makeini("[pytest]\npki_profile = fleet.yaml\naddopts = -p no:cacheprovider\npythonpath = .\n")
    return pytester


def _names(result: pytest.RunResult) -> list[str]:
    return [line.partition("::")[2] for line in result.outlines if "::" in line]


def test_an_environment_and_its_servers_are_available(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from fetching import fetch

        def test_it(pki, pki_server, pki_dns):
            case = pki["sensor"]
            assert b"sensor" in fetch(pki_server.url_of(case), case.client_context())
            assert b"wild" in fetch(pki_server.url_of(pki["wild"]), pki["wild"].client_context())
            crl = pki.manifest["authorities"][0]["crl"]["url"]
            assert crl.startswith(pki_server.url)
            assert fetch(crl)

        def test_again(pki, pki_server):
            assert [case.name for case in pki.cases()][:2] == ["sensor", "wild"]
        """
    )
    project.runpytest_inprocess().assert_outcomes(passed=2)


def test_certificates_are_issued_in_memory_revoked_and_broken(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import ssl
        from fetching import fetch

        def test_memory(pki_ca):
            pki_ca.issue("host.test").configure(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

        def test_operations(pki, pki_server):
            crl = next(one["crl"]["url"] for one in pki.manifest["authorities"] if one["name"] == "issuing")
            before = fetch(crl)
            pki["wild"].revoke()
            assert fetch(crl) != before
            assert pki["sensor"].break_("eku-missing").fault == "eku-missing"
            assert crl == next(a["crl"]["url"] for a in pki.manifest["authorities"] if a["name"] == "issuing")
        """
    )
    project.runpytest_inprocess().assert_outcomes(passed=2)


def test_the_enrollment_server_of_an_environment_has_faults(project: pytest.Pytester) -> None:
    project.makefile(".yaml", fleet=f"{PROFILE}enrolment: {{probes: {{issuer: issuing, est: {{}}}}}}\n")
    project.makepyfile(
        """
        import urllib.error
        import pytest
        from fetching import fetch

        def test_it(pki, pki_enrolment):
            url = pki_enrolment.services[0].url + "/cacerts"
            context = pki["sensor"].client_context()
            pki_enrolment.fault(id="est-unavailable", times=1)
            with pytest.raises(urllib.error.HTTPError) as caught:
                fetch(url, context)
            assert caught.value.code == 503
            caught.value.close()
            assert fetch(url, context)
        """
    )
    project.runpytest_inprocess().assert_outcomes(passed=1)


def test_without_options_the_environment_is_the_smallest_profile(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(pki):\n    assert pki.name == 'minimal'\n    assert pki['server']")
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_a_test_runs_for_each_case_and_is_named_after_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import ssl, urllib.error
        import pytest
        from fetching import fetch

        @pytest.mark.pki_cases(faults="validity/*", expected="reject")
        def test_dates(pki_case, pki_server, pki_dns):
            assert not pki_case.accepted
            with pytest.raises(urllib.error.URLError) as caught:
                fetch(pki_server.url_of(pki_case), pki_case.client_context())
            assert isinstance(caught.value.reason, ssl.SSLCertVerificationError)

        @pytest.mark.pki_cases(names="w*", faults=None, stages=None)
        def test_sound(pki_case):
            assert pki_case.accepted
        """
    )
    result = project.runpytest_inprocess("-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        ["*test_dates?sensor.expired? PASSED*", "*?sensor.not-yet-valid? PASSED*", "*?wild? PASSED*"]
    )


def test_collection_builds_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.pki_cases
        def test_all(pki_case): ...

        @pytest.mark.pki_cases(faults=["all"])
        def test_wrong(pki_case): ...
        """
    )
    result = project.runpytest_inprocess("--collect-only", "-q", "-o", "pki_out=kept")
    sound, wrong = ["sensor", "wild"], ["expired", "not-yet-valid", "san-wrong-host", "revoked"]
    broken = [f"sensor.{fault}" for fault in wrong]
    assert _names(result) == [
        *(f"test_all[{name}]" for name in sound + broken),
        *(f"test_wrong[{name}]" for name in broken),
    ]
    assert not (project.path / "kept").exists()


def test_cases_of_another_profile_have_its_environment_and_servers(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(
        """
        import pytest
        from fetching import fetch

        DOCUMENT = {"name": "other", "authorities": {"root": {"key": "ec-p256"}},
                    "certificates": {"door": {"issuer": "root", "key": "ec-p256", "san": ["dns:door.test"]}}}

        def test_own(pki):
            assert pki.name == "fleet"

        @pytest.mark.pki_cases(DOCUMENT)
        def test_other(pki_case, pki, pki_server, pki_dns):
            assert (pki.name, pki_case.name) == ("other", "door")
            assert fetch(pki_server.url_of(pki_case), pki_case.client_context())

        def test_own_again(pki, pki_server, pki_dns):
            assert pki.name == "fleet"
            case = pki["sensor"]
            assert fetch(pki_server.url_of(case), case.client_context())

        def test_built_here(pki_build):
            assert pki_build({**DOCUMENT, "name": "third"}).name == "third"
            assert pki_build("fleet.yaml") is pki_build("fleet.yaml")
        """
    )
    result = project.runpytest_inprocess("-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*::test_other?door? PASSED*"])


def test_an_environment_is_reused(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_it(pki, pki_server):
            print("SHA", pki["sensor"].data["sha256"], pki.folder)
        """
    )
    runs = [project.runpytest_inprocess("-s", "-o", "pki_out=kept").outlines for _ in range(2)]
    first, second = ([line for line in run if "SHA" in line] for run in runs)
    assert first == second
    assert f"{project.path / 'kept' / 'fleet'}" in first[0]


def test_an_environment_is_rebuilt_after_its_profile_has_changed(project: pytest.Pytester) -> None:
    project.makepyfile("def test_it(pki):\n    print('CASES', [case.name for case in pki.cases()][:2])")
    project.runpytest_inprocess("-o", "pki_out=kept").assert_outcomes(passed=1)
    (project.path / "fleet.yaml").write_text(PROFILE.replace("  wild:", "  gate:"))
    project.runpytest_inprocess("-s", "-o", "pki_out=kept").stdout.fnmatch_lines(["*'sensor', 'gate'*"])


def test_a_seed_yields_the_same_bytes_everywhere(project: pytest.Pytester) -> None:
    project.makepyfile(
        "def test_it(pki):\n    print('SHA', pki['sensor'].data['sha256'], pki.manifest['base_url'])"
    )
    runs = [project.runpytest_inprocess("-s", "-o", "pki_seed=x").outlines for _ in range(2)]
    first, second = ([line for line in run if "SHA" in line] for run in runs)
    assert first == second
    assert first[0].endswith("http://127.0.0.1:8080")


def test_the_base_url_of_crls_can_be_set(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from fetching import fetch

        def test_it(pki, pki_server):
            assert pki.manifest["base_url"] == "http://crl.contoso.test"
            assert fetch(pki_server.url + "/crl/root.crl")
        """
    )
    result = project.runpytest_inprocess("-o", "pki_base_url=http://crl.contoso.test")
    result.assert_outcomes(passed=1)


def test_workers_build_once_have_the_same_ids_and_share_the_stub(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import os
        from pathlib import Path
        import pytest
        from fetching import fetch

        @pytest.mark.parametrize("repeated", range(4))
        @pytest.mark.pki_cases
        def test_it(pki_case, pki, pki_server, repeated):
            crls = [authority["crl"]["url"] for authority in pki.manifest["authorities"]]
            assert all(map(fetch, crls[:2]))
            seen = Path(os.environ["SEEN"])
            (seen / f"{os.getpid()}-{pki['sensor'].data['sha256']}-{pki_server.url[-5:]}").touch()
        """
    )
    seen = project.mkdir("seen")
    project._monkeypatch.setenv("SEEN", str(seen))
    project.runpytest_subprocess("-n", "2", "--dist", "each").assert_outcomes(passed=48)
    workers, certificates, ports = zip(*(path.name.split("-") for path in seen.iterdir()), strict=True)
    assert (len(set(workers)), len(set(certificates)), len(set(ports))) == (2, 1, 1)


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ('"flet.yaml"', "flet.yaml does not exist"),
        ('faults="expird"', "no case of the profile has the fault 'expird' (did you mean 'expired'?)"),
        ('expected="refuse"', "expected='refuse' is not one of accept, reject, varies"),
        ('faults="expired", expected="accept"', "no case of the profile matches faults='expired'"),
        ('stages="pth"', "stages='pth' is not one of file, parse, path"),
        ('fault="expired"', "unexpected keyword argument 'fault'"),
        ('{"name": "x"}', "no case of the profile matches this mark"),
        ('{"authorities": {"root": {"kye": "x"}}}', "did you mean 'key'"),
    ],
)
def test_an_invalid_mark_is_an_error(project: pytest.Pytester, mark: str, words: str) -> None:
    project.makepyfile(f"import pytest\n\n@pytest.mark.pki_cases({mark})\ndef test_it(pki_case): ...\n")
    result = project.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    assert words in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_a_mark_without_the_argument_and_the_argument_without_the_mark_are_errors(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(
        test_a="import pytest\n\n@pytest.mark.pki_cases\ndef test_it(pki): ...\n",
        test_b="def test_it(pki_case): ...\n",
    )
    result = project.runpytest_inprocess("--continue-on-collection-errors")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines_random(
        ["*test_it is marked with pki_cases, and has no argument pki_case*", "*for tests marked with*"]
    )


def test_a_case_without_its_own_host_is_not_confused_with_another(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        DOCUMENT = {"name": "twins", "defaults": {"key": "ec-p256", "san": ["dns:one.test"]},
                    "authorities": {"root": {}},
                    "certificates": {"first": {"issuer": "root"}, "second": {"issuer": "root"},
                                     "plc": {"issuer": "root", "san": ["ip:10.1.0.10"]}}}

        @pytest.mark.pki_cases(DOCUMENT)
        def test_it(pki_case, pki_server):
            pki_server.url_of(pki_case)
        """
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines_random(
        [
            "*the host one.test of second presents first*",
            "*the host 10.1.0.10 of plc presents first*",
        ]
    )


def test_an_invalid_profile_fails_with_its_errors(project: pytest.Pytester) -> None:
    (project.path / "fleet.yaml").write_text(PROFILE.replace("ec-p256", "ec-p255"))
    project.makepyfile("def test_it(pki): ...\n")
    result = project.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    assert "no such kind of key: 'ec-p255' (did you mean 'ec-p256'?)" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_two_profiles_of_one_name_are_distinguished(project: pytest.Pytester) -> None:
    (project.path / "copy.yaml").write_text(PROFILE)
    project.makepyfile("def test_it(pki, pki_build):\n    pki_build('copy.yaml')\n")
    result = project.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*two profiles have the name 'fleet'*"])


def test_a_run_that_does_not_use_the_plugin_does_not_import_pkigen(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it():
            ours = [name for name in sys.modules if name.partition(".")[0] == "pkigen"]
            assert sorted(ours) == ["pkigen", "pkigen.pytest_plugin"]
            assert not {"cryptography", "pydantic", "yaml", "jinja2", "ssl"} & sys.modules.keys()
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider", *_WITHOUT_OTHERS).assert_outcomes(passed=1)


_WITHOUT_OTHERS = ("-p", "no:xdist", "-p", "no:anyio", "-p", "no:hypothesispytest")
