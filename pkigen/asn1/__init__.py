"""ASN.1 encoding: DER values, object identifiers, distinguished names, and edits of encoded structures."""
