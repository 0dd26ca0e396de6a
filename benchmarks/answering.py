"""OCSP answers a second: from the cache, and signed for each request, against bare signatures.

    python -m benchmarks.answering KEY

Signs with the RSA key in a file for some seconds in one thread, and prints how many times a second.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import OCSPNonce, load_pem_x509_certificate
from cryptography.x509.ocsp import OCSPRequestBuilder

from benchmarks import contenders
from benchmarks.measure import ROOT, Contender, Cost, in_turns, new_folder, run
from benchmarks.rows import Row
from benchmarks.serving import CLIENT, free_port, running

_SECONDS = 4
_CONNECTIONS = 16
_CERTIFICATES = 20
_NONCE = bytes(32)
_RATE = re.compile(r"^Requests/sec:\s*([0-9.]+)$", re.MULTILINE)
_TBS = b"x" * 250
"""About as many bytes as a ResponseData has."""
_POST = 'wrk.format("POST", nil, {["Content-Type"] = "application/ocsp-request"}, %s)'


def rows(limit: float, space: Path) -> Iterator[Row]:
    """Responses signed for each nonce, against signatures alone; and cached responses."""
    goal = f"at least {limit:g}x"
    if shutil.which(CLIENT) is None:
        yield Row("OCSP answers, each signed", "-", "-", f"no {CLIENT} here", "-", goal, None)
        return
    folder = new_folder(space)
    profile = contenders.write_profile(folder, "rsa-2048", _CERTIFICATES + 2)
    run(contenders.build(profile, folder, "--keys", "pool"), folder)
    environment = folder / "out" / "fleet"
    requests, nonced = _requests(environment)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = (*contenders.PKIGEN, "serve", str(environment), "--port", str(port))
    with running(command, folder, f"{url}/healthz"):
        signed = _asking(folder / "signed.lua", _with_nonces(nonced), f"{url}/ocsp")
        pair = in_turns(signed, _signing(environment / "authorities/issuing/issuing.key"), space)
        remaining = [
            _asking(folder / "kept.lua", _in_turn(requests), f"{url}/ocsp")(folder) for _ in range(5)
        ]
    ours, other = ([round(1 / cost.wall) for cost in costs] for costs in (pair.ours, pair.other))
    ratio = 1 / pair.ratio
    measured: dict[str, object] = {"ours a second": ours, "other a second": other, "ratio": round(ratio, 4)}
    output = f"{median(ours):,.0f}/s", f"{median(other):,.0f}/s", f"{ratio:.2f}x"
    yield Row("OCSP answers, each signed (RSA 2048)", "bare signing", *output, goal, ratio >= limit, measured)
    rates = [round(1 / cost.wall) for cost in remaining]
    rate = f"{median(rates):,.0f}/s"
    again: dict[str, object] = {"ours a second": rates}
    yield Row("OCSP answers, given again", "-", rate, "-", "-", "none set", None, again)


def _requests(environment: Path) -> tuple[list[bytes], bytes]:
    """A request about each certificate, and one with a nonce, which is to be replaced."""
    issuer = load_pem_x509_certificate((environment / "authorities/issuing/issuing.crt").read_bytes())
    result = []
    for path in sorted(environment.glob("certificates/*/*.crt")):
        content = load_pem_x509_certificate(path.read_bytes())
        # SHA-1 is what clients ask with.
        result.append(OCSPRequestBuilder().add_certificate(content, issuer, hashes.SHA1()))  # noqa: S303
    nonced = result[0].add_extension(OCSPNonce(_NONCE), critical=False).build().public_bytes(Encoding.DER)
    return [one.build().public_bytes(Encoding.DER) for one in result], nonced


def _in_turn(requests: list[bytes]) -> str:
    listed = ", ".join(map(_lua, requests))
    return f"local all, n = {{{listed}}}, 0\nrequest = function() n = n + 1\n  return " + _post(
        "all[n % #all + 1]"
    )


def _with_nonces(request: bytes) -> str:
    head, tail = map(_lua, request.split(_NONCE))
    made = f'{head} .. string.format("%032d", n) .. {tail}'
    return "local n = 0\nrequest = function() n = n + 1\n  return " + _post(made)


def _post(body: str) -> str:
    return _POST % body + "\nend\n"


def _lua(octets: bytes) -> str:
    return '"' + "".join(f"\\{octet:03d}" for octet in octets) + '"'


def _asking(script: Path, text: str, url: str) -> Contender:
    script.write_text(text, encoding="ascii")
    command = (CLIENT, "-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", "-s", str(script), url)

    def contend(folder: Path) -> Cost:
        output = run(command, folder).output
        rate = _RATE.search(output)
        if rate is None or float(rate[1]) == 0 or "Non-2xx" in output:
            raise RuntimeError(f"{url} does not answer as it should:\n{output}")
        return Cost(1 / float(rate[1]), 0.0, output)

    return contend


def _signing(key: Path) -> Contender:
    def contend(_folder: Path) -> Cost:
        cost = run((sys.executable, "-m", "benchmarks.answering", str(key)), ROOT)
        return Cost(1 / float(cost.output), cost.cpu)

    return contend


def _main(path: str) -> None:
    key = load_pem_private_key(Path(path).read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < _SECONDS:
        key.sign(_TBS, padding.PKCS1v15(), hashes.SHA256())
        count += 1
    print(count / (time.perf_counter() - begun))


if __name__ == "__main__":
    _main(sys.argv[1])
