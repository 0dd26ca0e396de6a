#!/usr/bin/env bash
# demo.sh [DIRECTORY [PORT [PYTHON]]]: what `make demo` runs. Builds the defender-iot profile, serves it, and lets
# the openssl command line verify one sensor's certificate as an appliance would: chain, trust anchor,
# purpose, host name, and the CRLs that the certificates themselves name. The server ends with the
# demo, however that ends.
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
    echo "   The server is stopped."
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

step() { printf '\n%s\n' "$1"; }
fail() { printf '\n%s\n' "$1" >&2; exit 1; }
show() { printf '   $ %s\n' "$*"; "$@"; }
pkigen() { "$python" -m pkigen "$@"; }

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

step "1. Build the profile: authorities, certificates, keys, CRLs"
free=$(free_port "$port")
if [ "$free" != "$port" ]; then
    echo "   Port $port is taken by another program: the demo uses $free, in the certificates too."
fi
source=$profile
if [ "$free" != 8080 ]; then
    source=$out/$profile.yaml
    printf 'extends: %s\nbase_url: http://127.0.0.1:%s\n' "$profile" "$free" >"$source"
fi
show pkigen build "$source" --out "$out"

step "2. Serve what the certificates point to"
mkfifo "$scratch/url"
printf '   $ %s\n' "pkigen serve $environment --port $free"
"$python" -m pkigen serve "$environment" --port "$free" >"$scratch/url" 2>"$scratch/log" &
stub=$!
read -r url <"$scratch/url" || fail "$(cat "$scratch/log")"
echo "   $url serves $environment/www"

step "3. Fetch the CRLs that $sensor's certificate and its chain name"
# The chain file, cut into certificates: each has its own distribution point.
awk -v into="$scratch" '/BEGIN CERT/ {n++} n {print > (into "/" n ".pem")}' "$certificate" "$chain"
crls=() count=0
for pem in "$scratch"/*.pem; do
    for found in $(distribution_points "$pem"); do
        crl=$scratch/$((count += 1)).crl
        fetch "$found" "$crl"
        crls+=(-CRLfile "$crl")
        echo "   $(openssl x509 -in "$pem" -noout -subject -nameopt sep_comma_plus_space)"
        echo "      $found, $(openssl crl -in "$crl" -inform DER -noout -nextupdate)"
    done
done
[ "$count" -gt 0 ] || fail "$certificate names no CRL distribution point."

step "4. Verify with openssl: chain, trust anchor, purpose, host name, every CRL"
host=$(openssl x509 -in "$certificate" -noout -subject -nameopt multiline | sed -n 's/.*commonName *= //p')
verify() {
    show openssl verify -purpose sslserver -verify_hostname "$host" -no-CApath -no-CAstore \
        -CAfile "$environment/trust.pem" -untrusted "$chain" -crl_check_all "${crls[@]}" "$certificate"
}
verify | sed 's/^\([^ ]\)/   \1/' || fail "openssl refuses the certificate."
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] ||
    fail "$key is not the key of $certificate."
echo "   $key: the certificate's own key"
stop_stub

cat <<DONE

Done. For each appliance there are three files to upload; the sensor's are
   $certificate
   $key
   $chain
The trust anchor is $environment/trust.pem, and $environment/manifest.json lists everything.
Serve it again with: .venv/bin/pkigen serve $environment --port $free
DONE
