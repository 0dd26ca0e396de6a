"""Independent validators: each module registers one or more; a new module is discovered automatically.

Other distributions name such a module in the entry point group ``pkigen.validators``. A module whose name
begins with an underscore runs in a process of its own, and pkigen does not import it.
"""

ORDER = (
    "openssl",
    "openssl-strict",
    "gnutls",
    "nss",
    "heimdal",
    "go",
    "pyca",
    "mbedtls",
    "botan",
    "bearssl",
    "webpki",
    "java",
    "bouncycastle",
    "java-crldp",
    "java-ocsp",
    "openssl-ocsp",
    "java-current",
    "pyhanko",
    "python-ssl",
    "mono",
    "chromium",
    "firefox",
    "openssl-current",
    "wolfssl",
    "erlang",
)
"""The order of the columns; validators that it does not list follow in alphabetical order."""
