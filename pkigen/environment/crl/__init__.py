"""The CRLs of each authority: entries, schedule, publication, refresh (RFC 5280, section 5)."""
