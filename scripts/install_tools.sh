#!/usr/bin/env bash
# install_tools.sh [--list] TOOL...: installs the missing programs through apt where that is possible, after it has listed
# them with their size. With --list, it first prints every program with its package, its size and whether it is here.
# Each package is installed on its own, so that one that is not available does not prevent
# the others. Never fails: a test that needs a missing program reports it. No service that comes with a program
# is started, now or at the next boot.
set -uo pipefail
list=
if [ "${1-}" = --list ]; then list=yes; shift; fi
for directory in /usr/sbin /usr/lib/postgresql/*/bin; do PATH=$PATH:$directory; done # servers are in a directory that is not on an ordinary user's PATH

package_of() {
    case $1 in
        keytool) echo default-jre-headless ;;
        javac) echo default-jdk-headless ;;
        certtool | ocsptool) echo gnutls-bin ;;
        certutil) echo libnss3-tools ;;
        dot) echo graphviz ;;
        etcd) echo etcd-server ;;
        eapol_test) echo eapoltest ;;
        nginx) echo nginx-light ;;
        pki) echo strongswan-pki ;;
        rsyslogd) echo rsyslog-gnutls ;;
        scep-submit) echo certmonger ;;
        strongswan-curl) echo libstrongswan-extra-plugins ;;
        strongswan-openssl) echo libstrongswan-standard-plugins ;;
        apachectl) echo apache2 ;;
        stunnel) echo stunnel4 ;;
        systemd-analyze) echo systemd ;;
        cc) echo gcc libc6-dev ;;
        c++) echo g++ ;;
        mbedtls) echo libmbedtls-dev ;;
        botan) echo libbotan-2-dev ;;
        bearssl) echo libbearssl-dev ;;
        heimdal) echo heimdal-multidev ;;
        hxtool) echo heimdal-clients ;;
        nss) echo libnss3-dev ;;
        wolfssl) echo libwolfssl-dev ;;
        escript) echo erlang-base erlang-ssl erlang-public-key ;;
        mcs) echo mono-mcs ;;
        mono) echo mono-runtime ;;
        bouncycastle) echo libbcprov-java libbcpkix-java ;;
        node) echo nodejs ;;
        jmeter) echo jmeter-http ;;
        mosquitto_pub) echo mosquitto-clients ;;
        initdb) echo postgresql ;;
        mariadbd) echo mariadb-server ;;
        dovecot) echo dovecot-imapd ;;
        swanctl) echo strongswan-swanctl charon-systemd ;;
        *) echo "$1" ;;
    esac
}

present() {
    case $1 in
        python3-venv) python3 -c 'import ensurepip' 2>/dev/null ;;
        # Many systems have rsyslog without its TLS driver.
        rsyslogd) command -v rsyslogd >/dev/null && ls /usr/lib/*/rsyslog/lmnsd_gtls.so >/dev/null 2>&1 ;;
        mbedtls) [ -e /usr/include/mbedtls/x509_crt.h ] ;;
        botan) [ -e /usr/include/botan-2/botan/x509path.h ] ;;
        bearssl) [ -e /usr/include/bearssl.h ] ;;
        heimdal) [ -e /usr/include/heimdal/hx509.h ] ;;
        nss) [ -e /usr/include/nss/cert.h ] ;;
        wolfssl) [ -e /usr/include/wolfssl/ssl.h ] ;;
        escript) command -v escript >/dev/null && ls -d /usr/lib/erlang/lib/ssl-* >/dev/null 2>&1 ;;
        scep-submit) [ -e /usr/lib/certmonger/scep-submit ] ;;
        strongswan-curl) [ -e /usr/lib/ipsec/plugins/libstrongswan-curl.so ] ;;
        strongswan-openssl) [ -e /usr/lib/ipsec/plugins/libstrongswan-openssl.so ] ;;
        bouncycastle) [ -e /usr/share/java/bcpkix.jar ] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# The installed size of packages in MB, as apt knows it; nothing if it does not know one.
megabytes() {
    LC_ALL=C apt-cache show --no-all-versions "$@" 2>/dev/null |
        awk '/^Installed-Size:/ {sum += $2} END {if (sum) printf "%.1f MB", sum / 1024}'
}

if [ -n "$list" ]; then
    printf '%-18s %-32s %10s  %s\n' PROGRAM PACKAGE SIZE STATE
    for tool in "$@"; do
        read -ra names <<<"$(package_of "$tool")"
        state=missing
        present "$tool" && state=installed
        printf '%-18s %-32s %10s  %s\n' "$tool" "${names[*]}" "$(megabytes "${names[@]}")" "$state"
    done
fi

missing=() packages=()
for tool in "$@"; do
    present "$tool" && continue
    missing+=("$tool")
    read -ra names <<<"$(package_of "$tool")"
    packages+=("${names[@]}")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "Missing: ${missing[*]}. To install them: apt install ${packages[*]} (or your system's packages)." >&2
        exit 0
    fi
    as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null; then
    echo "Missing: ${missing[*]}. This system has no apt; install them with its own package manager." >&2
    exit 0
fi

export DEBIAN_FRONTEND=noninteractive
available() { LC_ALL=C apt-cache show "$1" >/dev/null 2>&1; }
# The package lists may be missing, as in a container, or older than the packages.
for package in "${packages[@]}"; do
    available "$package" || { "${as_root[@]}" apt-get update -qq >/dev/null 2>&1; break; }
done
available_packages=() unavailable=()
for package in "${packages[@]}"; do
    if available "$package"; then available_packages+=("$package"); else unavailable+=("$package"); fi
done

if [ ${#available_packages[@]} -gt 0 ]; then
    echo "Installing ${#available_packages[@]} packages for: ${missing[*]}" >&2
    echo "  ${available_packages[*]}" >&2
    # "Need to get 95.0 MB of archives." and "After this operation, 412 MB of additional disk space will be used."
    LC_ALL=C "${as_root[@]}" apt-get install --assume-no --no-install-recommends "${available_packages[@]}" 2>/dev/null |
        sed -n 's/^\(Need to get .*\|After this operation.*\)/  \1/p' >&2
fi
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    # invoke-rc.d and deb-systemd-invoke run this script before they start a service; 101 forbids the start.
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null && "${as_root[@]}" chmod 755 $policy
    trap '"${as_root[@]}" rm -f $policy' EXIT
fi
install() { "${as_root[@]}" apt-get install -qq -y --no-install-recommends "$1" >/dev/null 2>&1; }
updated=
for package in ${available_packages[@]+"${available_packages[@]}"}; do
    if ! install "$package"; then
        [ -n "$updated" ] || "${as_root[@]}" apt-get update -qq >/dev/null 2>&1
        updated=yes
        install "$package" || unavailable+=("$package")
    fi
    case $package in
        nginx-light | apache2 | haproxy | caddy | stunnel4 | tinyproxy | mosquitto | freeradius | etcd-server | \
            dovecot-imapd | openvpn | rabbitmq-server | redis-server | slapd | charon-systemd)
            service=${package%-light}
            [ "$service" = charon-systemd ] && service=strongswan
            case $service in etcd-server | dovecot-imapd) service=${service%-*} ;; esac
            "${as_root[@]}" systemctl disable --quiet "$service" >/dev/null 2>&1
            ;;
    esac
done
[ ${#unavailable[@]} -eq 0 ] ||
    echo "apt could not install: ${unavailable[*]}. Tests that need them are skipped and listed." >&2
exit 0
