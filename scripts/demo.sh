#!/usr/bin/env bash
# demo.sh [DIRECTORY [PORT [PYTHON]]]: what `make demo` runs, in a dozen lines. Builds the defender-iot profile, serves it,
# and lets the openssl command line verify one sensor's certificate as an appliance would: chain, trust anchor, purpose,
# host name, and the CRLs that the certificates name. openssl must then reject an expired copy. The server ends with the
# demo, however that ends; the output of a step that fails is printed.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:-.demo} port=${2:-8080}
profile=defender-iot sensor=sensor-01
python=${3:-$PWD/.venv/bin/python}
environment=$out/$profile
certificate=$environment/certificates/$sensor/$sensor.crt
key=$environment/certificates/$sensor/$sensor.key
chain=$environment/certificates/$sensor/chain.pem

scratch=$(mktemp -d)
stub=
stop_stub() {
    [ -n "$stub" ] || return 0
    kill "$stub" 2>/dev/null || true
    wait "$stub" 2>/dev/null || true
    stub=
    line "" "The server is stopped."
}
finish() {
    local code=$?
    stop_stub
    rm -rf "$scratch"
    [ "$code" -eq 0 ] || printf '\nThe demo failed (see above).\n' >&2
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() { printf '\n%s\n' "$1" >&2; exit 1; }
line() { printf '%-10s %s\n' "$1" "$2"; }
pkigen() { "$python" -m pkigen "$@"; }
quietly() { "$@" >"$scratch/output" 2>&1 || fail "$* fails:
$(cat "$scratch/output")"; }

# The URLs of a certificate's CRL distribution points, as openssl reads them; a root has none.
distribution_points() {
    openssl x509 -in "$1" -noout -ext crlDistributionPoints 2>/dev/null | sed -n 's/.*URI://p'
}

fetch() {
    "$python" - "$1" "$2" <<'PYTHON' || fail "The CRL cannot be fetched."
import sys, urllib.request
url, path = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    open(path, "wb").write(opener.open(url, timeout=10).read())
except OSError as error:
    sys.exit(f"{url}: {error}")
PYTHON
}

# The wanted port if it is free, else any other that is. Bound as the server does it: a port that was
# just left is free.
free_port() {
    "$python" - "$1" <<'PYTHON'
import socket, sys
for port in (int(sys.argv[1]), 0):
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        continue
    print(probe.getsockname()[1])
    break
PYTHON
}

command -v openssl >/dev/null ||
    fail "The demo needs the openssl command line. On Debian or Ubuntu: apt install openssl"
mkdir -p "$out"

echo "pkigen builds a test PKI from a profile, serves its CRLs, and openssl verifies one certificate:"
free=$(free_port "$port")
[ "$free" = "$port" ] ||
    line "Port" "Port $port is taken by another program: the demo uses $free, in the certificates too."
source=$profile
if [ "$free" != 8080 ]; then
    source=$out/$profile.yaml
    printf 'extends: %s\nbase_url: http://127.0.0.1:%s\n' "$profile" "$free" >"$source"
fi
quietly pkigen build "$source" --out "$out"
files=("$environment"/certificates/*/)
line "1. Build" "$environment: CAs, CRLs, and ${#files[@]} directories of certificate, key and chain  [pkigen build $profile]"

mkfifo "$scratch/url"
"$python" -m pkigen serve "$environment" --port "$free" >"$scratch/url" 2>"$scratch/log" &
stub=$!
read -r url <"$scratch/url" || fail "$(cat "$scratch/log")"
line "2. Serve" "$url, the address in the certificates, publishes the CRLs  [pkigen serve $environment]"

# The chain file, cut into certificates: each has its own distribution point.
awk -v into="$scratch" '/BEGIN CERT/ {n++} n {print > (into "/" n ".pem")}' "$certificate" "$chain"
crls=() count=0
for pem in "$scratch"/*.pem; do
    for found in $(distribution_points "$pem"); do
        crl=$scratch/$((count += 1)).crl
        fetch "$found" "$crl"
        crls+=(-CRLfile "$crl")
        subject=$(openssl x509 -in "$pem" -noout -subject -nameopt multiline | sed -n 's/.*commonName *= //p')
        line "3. Fetch" "$found, as the certificate of $subject states"
    done
done
[ "$count" -gt 0 ] || fail "$certificate names no CRL distribution point."

host=$(openssl x509 -in "$certificate" -noout -subject -nameopt multiline | sed -n 's/.*commonName *= //p')
verify() {
    openssl verify -purpose sslserver -verify_hostname "$2" -no-CApath -no-CAstore \
        -CAfile "$environment/trust.pem" -untrusted "$chain" -crl_check_all "${crls[@]}" "$1" >"$scratch/output" 2>&1
}
verify "$certificate" "$host" || fail "openssl rejects the certificate: $(cat "$scratch/output")"
line "4. Verify" "$(tail -n 1 "$scratch/output") (chain, trust anchor, purpose, host name $host, CRLs)"
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] ||
    fail "$key is not the key of $certificate."

quietly pkigen break "$environment" "$sensor" --fault expired
copy=$environment/certificates/$sensor.expired/$sensor.expired.crt
! verify "$copy" "expired.$host" || fail "openssl accepts an expired certificate."
reason=$(sed -n 's/^error .* lookup: *//p' "$scratch/output" | head -n 1)
line "5. Break" "$sensor.expired: openssl rejects it, \"$reason\"  [pkigen break $environment $sensor --fault expired]"
stop_stub
echo "Files for the sensor: $sensor.crt, $sensor.key, chain.pem in $environment/certificates/$sensor; to trust: $environment/trust.pem"
echo "Next: .venv/bin/pkigen lab up demo (simulated appliances), .venv/bin/pkigen faults (what can be broken), docs/tutorial.md"
