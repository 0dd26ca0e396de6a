"""Who runs: pkigen, the bare work, and the tools that a lab could take instead."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import certomancer_fleet
from benchmarks.measure import ROOT, Contender, Cost, run

PKIGEN = (sys.executable, "-m", "pkigen")
_HERE = Path(__file__).parent
_VENV = ROOT / ".venv-bench" / "bin"
CERTOMANCER = str(_VENV / "certomancer")
_SENSORS = tuple(f"sensor-{number:02}" for number in range(1, 21))

_PROFILE = """\
name: fleet
base_url: http://127.0.0.1:8080
defaults:
  subject: {{C: US, O: Contoso Inc., OU: Contoso Labs}}
  key: {key}
{more}authorities:
  root:
    subject: {{CN: Contoso Test Root CA}}
  issuing:
    issuer: root
    subject: {{CN: Contoso OT Issuing CA}}
    path_length: 0
certificates:
  "sensor-{{00001..{sensors:05}}}":
    issuer: issuing
    subject: {{CN: "{{{{ name }}}}.contoso.test"}}
"""


def write_profile(folder: Path, key: str, count: int, defaults: str = "") -> Path:
    """A profile of ``count`` certificates in all: a root, an issuing CA, and sensors.

    ``defaults`` is a key in addition to those that all of them have.
    """
    path, more = folder / "fleet.yaml", f"  {defaults}\n" if defaults else ""
    path.write_text(_PROFILE.format(key=key, sensors=count - 2, more=more), encoding="utf-8")
    return path


def build(profile: Path, folder: Path, *options: str) -> tuple[str, ...]:
    """Return the command line that builds a profile into a directory."""
    return (*PKIGEN, "build", str(profile), "--out", str(folder / "out"), *options)


def pkigen(
    key: str, count: int, *options: str, environ: dict[str, str] | None = None, defaults: str = ""
) -> Contender:
    """``pkigen build``, from the start of the process to its end, into an empty directory."""

    def contender(folder: Path) -> Cost:
        profile = write_profile(folder, key, count, defaults)
        return run(build(profile, folder, *options), folder, environ)

    return contender


def bare(keys: str, kind: str, count: int) -> Contender:
    """The bare work; a pool is there before, so then only the work's own seconds count."""

    def contender(folder: Path) -> Cost:
        cost = run((sys.executable, "-m", "benchmarks.bare", keys, kind, str(count)), ROOT)
        work = float(cost.output)
        return replace(cost, wall=cost.wall if keys == "fresh" else work, parts={"work alone": work})

    return contender


def lab_script(folder: Path) -> Cost:
    """The openssl command line, one call after the other."""
    return run(("bash", str(_HERE / "lab.sh"), str(folder), str(len(_SENSORS))), folder)


def mkcert(folder: Path) -> Cost:
    """One call for each certificate, as its manual shows; it has no authority below the root."""
    each = 'mkcert -cert-file "$name.crt" -key-file "$name.key" "$name.contoso.test"'
    script = f"for name in issuing {' '.join(_SENSORS)}; do {each}; done"
    return run(("bash", "-euc", script), folder, {"CAROOT": str(folder)})


def trustme(folder: Path) -> Cost:
    """A Python program with trustme, RSA keys asked for."""
    return run((str(_VENV / "python"), str(_HERE / "trustme_fleet.py")), folder)


def certomancer(folder: Path) -> Cost:
    """It makes no keys itself: they are made first, and that is part of the work."""
    (folder / "keys").mkdir()
    names = ("root", "issuing", *_SENSORS)
    (folder / "certomancer.yml").write_text(certomancer_fleet.config(_SENSORS), encoding="utf-8")
    script = "for name; do openssl genrsa -out keys/$name.pem 2048; done"
    keys = run(("bash", "-euc", script, "keys", *names), folder)
    certificates = run((CERTOMANCER, "mass-summon", "fleet", "out", "--no-pfx"), folder)
    parts = {"keys": keys.wall, "certificates": certificates.wall}
    return Cost(keys.wall + certificates.wall, keys.cpu + certificates.cpu, parts=parts)


@dataclass(frozen=True, slots=True)
class Tool:
    """Another way to the same 22 certificates; ``times`` is how much faster pkigen is to be."""

    name: str
    contender: Contender
    times: float
    programs: tuple[str, ...]

    def missing(self) -> str:
        """The first program that is not on this machine, or nothing."""
        return next((program for program in self.programs if not shutil.which(program)), "")


TOOLS = (
    Tool("openssl script", lab_script, 8, ("bash", "openssl")),
    Tool("mkcert", mkcert, 5, ("mkcert",)),
    Tool("trustme", trustme, 1.3, (str(_VENV / "python"),)),
    Tool("certomancer, its keys made first", certomancer, 8, (CERTOMANCER, "openssl")),
)
