"""The families of faults: one module or package each; a new one is discovered automatically."""

ORDER = (
    "encoding",
    "versions",
    "signature",
    "key",
    "validity",
    "names",
    "san",
    "extensions",
    "constraints",
    "usages",
    "name_constraints",
    "policies",
    "access",
    "chain",
    "crl",
    "ocsp",
    "key_files",
    "transport",
)
"""The order of the families in the catalog; families that it does not list follow in alphabetical order."""
