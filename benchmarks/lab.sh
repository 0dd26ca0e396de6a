#!/usr/bin/env bash
# What a lab has today: lab.sh DIRECTORY SENSORS makes a root, an issuing CA and SENSORS certificates
# with the openssl command line, one after the other, and an empty CRL for each authority.
set -euo pipefail
mkdir -p "$1" && cd "$1"
base=http://127.0.0.1:8080
name='/C=US/O=Contoso Inc./OU=Contoso Labs/CN='

cat >ca.cnf <<CONF
[ca]
default_ca = lab
[lab]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 7
CONF

authority() { # NAME: the extensions of a CA certificate, and its CRL
    mkdir -p "$1.ca" && touch "$1.ca/index.txt" && echo 1000 >"$1.ca/crlnumber"
    (cd "$1.ca" && openssl ca -config ../ca.cnf -gencrl -keyfile "../$1.key" -cert "../$1.crt" \
        -out "../$1.crl.pem" 2>/dev/null)
    openssl crl -in "$1.crl.pem" -outform DER -out "$1.crl"
}

openssl genrsa -out root.key 2048 2>/dev/null
openssl req -x509 -new -key root.key -sha256 -days 3650 -subj "${name}Lab Root CA" -out root.crt \
    -addext keyUsage=critical,keyCertSign,cRLSign
authority root

openssl genrsa -out issuing.key 2048 2>/dev/null
openssl req -new -key issuing.key -subj "${name}Lab Issuing CA" -out issuing.csr
cat >issuing.ext <<CONF
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:$base/root.crl
CONF
openssl x509 -req -in issuing.csr -CA root.crt -CAkey root.key -CAcreateserial -sha256 -days 1825 \
    -extfile issuing.ext -out issuing.crt 2>/dev/null
authority issuing

for number in $(seq -w 1 "$2"); do
    sensor=sensor-$number
    openssl genrsa -out "$sensor.key" 2048 2>/dev/null
    openssl req -new -key "$sensor.key" -subj "$name$sensor.contoso.test" -out "$sensor.csr"
    cat >"$sensor.ext" <<CONF
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = DNS:$sensor.contoso.test
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:$base/issuing.crl
CONF
    openssl x509 -req -in "$sensor.csr" -CA issuing.crt -CAkey issuing.key -CAcreateserial -sha256 \
        -days 397 -extfile "$sensor.ext" -out "$sensor.crt" 2>/dev/null
    cat issuing.crt root.crt >"$sensor.chain.pem"
done
