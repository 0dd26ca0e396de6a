"""Validates the control over host names and IP addresses: http-01, tls-alpn-01 (RFC 8737), dns-01."""
