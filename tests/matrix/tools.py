"""Which tools of ``tests.tools`` each validator needs."""

TOOLS: dict[str, tuple[str, ...]] = {
    "openssl": ("openssl",),
    "openssl-strict": ("openssl",),
    "gnutls": ("certtool", "faketime"),
    "go": ("go",),
    "pyca": (),
}
