#!/usr/bin/env bash
# install_tools.sh TOOL...: installs the programs that are missing, through apt, when that is possible.
# Never fails: whoever needs a tool says so when it is not there. No service that comes with a tool is
# started, now or at the next boot.
set -uo pipefail
PATH=$PATH:/usr/sbin # servers are there, where ordinary users do not look

package_of() {
    case $1 in
        keytool) echo default-jre-headless ;;
        javac) echo default-jdk-headless ;;
        certtool | ocsptool) echo gnutls-bin ;;
        dot) echo graphviz ;;
        nginx) echo nginx-light ;;
        rsyslogd) echo rsyslog-gnutls ;;
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
        bouncycastle) echo libbcprov-java libbcpkix-java ;;
        *) echo "$1" ;;
    esac
}

present() {
    case $1 in
        python3-venv) python3 -c 'import ensurepip' 2>/dev/null ;;
        # Many systems have rsyslog, and not its TLS.
        rsyslogd) command -v rsyslogd >/dev/null && ls /usr/lib/*/rsyslog/lmnsd_gtls.so >/dev/null 2>&1 ;;
        mbedtls) [ -e /usr/include/mbedtls/x509_crt.h ] ;;
        botan) [ -e /usr/include/botan-2/botan/x509path.h ] ;;
        bearssl) [ -e /usr/include/bearssl.h ] ;;
        heimdal) [ -e /usr/include/heimdal/hx509.h ] ;;
        nss) [ -e /usr/include/nss/cert.h ] ;;
        bouncycastle) [ -e /usr/share/java/bcpkix.jar ] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

missing=() packages=()
for tool in "$@"; do
    present "$tool" && continue
    missing+=("$tool")
    read -ra found <<<"$(package_of "$tool")"
    packages+=("${found[@]}")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "Missing: ${missing[*]}. To have them: apt install ${packages[*]} (or your system's packages)." >&2
        exit 0
    fi
    as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null; then
    echo "Missing: ${missing[*]}. This system has no apt; please install them in its own way." >&2
    exit 0
fi

echo "Installing ${packages[*]} ..." >&2
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    # What invoke-rc.d and deb-systemd-invoke ask before they start anything.
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null && "${as_root[@]}" chmod 755 $policy
    trap '"${as_root[@]}" rm -f $policy' EXIT
fi
install() { "${as_root[@]}" apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null 2>&1; }
# The list of packages may be older than the packages are.
install || { "${as_root[@]}" apt-get update -qq >/dev/null 2>&1 && install; } ||
    echo "apt could not install ${packages[*]}; going on without." >&2
for package in "${packages[@]}"; do
    case $package in
        nginx-light | apache2 | haproxy | caddy | stunnel4 | tinyproxy)
            "${as_root[@]}" systemctl disable --quiet "${package%-light}" >/dev/null 2>&1
            ;;
    esac
done
exit 0
