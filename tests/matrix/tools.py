"""Which tools of ``tests.tools`` each validator needs."""

TOOLS: dict[str, tuple[str, ...]] = {
    "openssl": ("openssl",),
    "openssl-strict": ("openssl",),
    "gnutls": ("certtool", "faketime"),
    "nss": ("cc", "pkg-config", "nss"),
    "heimdal": ("cc", "pkg-config", "heimdal"),
    "go": ("go",),
    "pyca": (),
    "mbedtls": ("cc", "mbedtls"),
    "botan": ("c++", "pkg-config", "botan"),
    "bearssl": ("cc", "bearssl"),
    "webpki": ("faketime",),
    "java": ("javac",),
    "bouncycastle": ("javac", "bouncycastle"),
    "java-crldp": ("javac",),
    "java-ocsp": ("javac",),
    "openssl-ocsp": ("openssl", "faketime"),
}
