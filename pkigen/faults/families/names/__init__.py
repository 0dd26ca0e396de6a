"""Names of issuer and subject (RFC 5280, 4.1.2.4, 4.1.2.6 and 7.1)."""

from pkigen.faults.families.names import attributes, common_names, strings

__all__ = ["attributes", "common_names", "strings"]
