"""Object identifiers and the names of bits, as in RFC 5280."""

from __future__ import annotations

BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE = "2.5.29.19", "2.5.29.15", "2.5.29.37"
SUBJECT_ALTERNATIVE_NAME, NAME_CONSTRAINTS = "2.5.29.17", "2.5.29.30"
SUBJECT_KEY_IDENTIFIER, AUTHORITY_KEY_IDENTIFIER = "2.5.29.14", "2.5.29.35"
CRL_DISTRIBUTION_POINTS, FRESHEST_CRL = "2.5.29.31", "2.5.29.46"
CERTIFICATE_POLICIES, POLICY_MAPPINGS, POLICY_CONSTRAINTS = "2.5.29.32", "2.5.29.33", "2.5.29.36"
INHIBIT_ANY_POLICY, ANY_POLICY = "2.5.29.54", "2.5.29.32.0"
DOMAIN_VALIDATED, ORGANIZATION_VALIDATED = "2.23.140.1.2.1", "2.23.140.1.2.2"
ISSUER_ALTERNATIVE_NAME, SUBJECT_DIRECTORY_ATTRIBUTES = "2.5.29.18", "2.5.29.9"
PRIVATE_KEY_USAGE_PERIOD, SUBJECT_INFORMATION_ACCESS = "2.5.29.16", "1.3.6.1.5.5.7.1.11"
PRACTICE_STATEMENT, USER_NOTICE = "1.3.6.1.5.5.7.2.1", "1.3.6.1.5.5.7.2.2"
AUTHORITY_INFORMATION_ACCESS, TLS_FEATURE = "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.24"

CRL_NUMBER, CRL_REASON = "2.5.29.20", "2.5.29.21"
DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT = "2.5.29.27", "2.5.29.28"
INVALIDITY_DATE, CERTIFICATE_ISSUER = "2.5.29.24", "2.5.29.29"
OCSP_BASIC, OCSP_NONCE, OCSP_NO_CHECK = (
    "1.3.6.1.5.5.7.48.1.1",
    "1.3.6.1.5.5.7.48.1.2",
    "1.3.6.1.5.5.7.48.1.5",
)
OCSP_ACCESS, CA_ISSUERS_ACCESS = "1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"
EXTENSION_REQUESTS = ("1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14")
"""PKCS#9 extensionRequest, and the same attribute as Microsoft writes it (szOID_CERT_EXTENSIONS)."""
USER_PRINCIPAL_NAME = "1.3.6.1.4.1.311.20.2.3"
KERBEROS_PRINCIPAL_NAME = "1.3.6.1.5.2.2"
SIGNED_CERTIFICATE_TIMESTAMPS = "1.3.6.1.4.1.11129.2.4.2"
SRV_NAME, SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.7", "1.3.6.1.5.5.7.8.9"
HARDWARE_MODULE_NAME, NAI_REALM = "1.3.6.1.5.5.7.8.4", "1.3.6.1.5.5.7.8.8"
NTDS_GUID = "1.3.6.1.4.1.311.25.1"
SECURITY_IDENTIFIER = "1.3.6.1.4.1.311.25.2"
CERTIFICATE_TEMPLATE_NAME, CERTIFICATE_TEMPLATE = "1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7"
MODBUS_ROLE, NO_REVOCATION_AVAILABLE = "1.3.6.1.4.1.50316.802.1", "2.5.29.56"

TITLES = {
    BASIC_CONSTRAINTS: "basic constraints",
    KEY_USAGE: "key usage",
    EXTENDED_KEY_USAGE: "extended key usage",
    SUBJECT_ALTERNATIVE_NAME: "subject alternative name",
    ISSUER_ALTERNATIVE_NAME: "issuer alternative name",
    SUBJECT_DIRECTORY_ATTRIBUTES: "subject directory attributes",
    PRIVATE_KEY_USAGE_PERIOD: "private key usage period",
    NAME_CONSTRAINTS: "name constraints",
    SUBJECT_KEY_IDENTIFIER: "subject key identifier",
    AUTHORITY_KEY_IDENTIFIER: "authority key identifier",
    CRL_DISTRIBUTION_POINTS: "CRL distribution points",
    FRESHEST_CRL: "freshest CRL",
    CERTIFICATE_POLICIES: "certificate policies",
    POLICY_MAPPINGS: "policy mappings",
    POLICY_CONSTRAINTS: "policy constraints",
    INHIBIT_ANY_POLICY: "inhibit anyPolicy",
    AUTHORITY_INFORMATION_ACCESS: "authority information access",
    SUBJECT_INFORMATION_ACCESS: "subject information access",
    TLS_FEATURE: "TLS feature",
    CRL_NUMBER: "CRL number",
    CRL_REASON: "reason code",
    DELTA_CRL_INDICATOR: "delta CRL indicator",
    ISSUING_DISTRIBUTION_POINT: "issuing distribution point",
    INVALIDITY_DATE: "invalidity date",
    CERTIFICATE_ISSUER: "certificate issuer",
    OCSP_NO_CHECK: "OCSP no check",
    OCSP_NONCE: "OCSP nonce",
    NO_REVOCATION_AVAILABLE: "no revocation available",
    MODBUS_ROLE: "Modbus role",
    "1.3.6.1.5.5.7.1.3": "qualified certificate statements",
    "1.3.6.1.4.1.311.21.1": "CA version",
    "1.3.6.1.4.1.311.21.2": "previous CA certificate hash",
    SECURITY_IDENTIFIER: "NTDS security identifier",
    "1.2.840.113549.1.9.15": "S/MIME capabilities",
    SIGNED_CERTIFICATE_TIMESTAMPS: "signed certificate timestamps",
    "1.3.6.1.4.1.11129.2.4.3": "precertificate poison",
    CERTIFICATE_TEMPLATE_NAME: "certificate template name",
    CERTIFICATE_TEMPLATE: "certificate template",
    "1.3.6.1.4.1.311.21.10": "application policies",
    "2.16.840.1.113730.1.1": "Netscape certificate type",
    "2.16.840.1.113730.1.13": "Netscape comment",
}

KEY_USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
REASON_FLAGS = (
    "unused",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
    "aACompromise",
)
EXTENDED_KEY_USAGES = {
    "any": "2.5.29.37.0",
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "timeStamping": "1.3.6.1.5.5.7.3.8",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
}

DIGESTS = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
"""The digest algorithms by OID, named as hashlib names them."""
