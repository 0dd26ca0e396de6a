"""When a certificate is valid, and how its times are written (RFC 5280, 4.1.2.5)."""

from pkigen.faults.families.validity import boundaries, periods

__all__ = ["boundaries", "periods"]
