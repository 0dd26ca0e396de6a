"""TLS endpoints: every certificate of an environment on one port, unmodified, selected by host name.

The handshake (TLS 1.3, 1.2, and 1.0 for one fault) is part of pkigen because no library's server can present
such certificates: OpenSSL refuses to load malformed certificates and keys that do not match, and creates no
wrong signature. Keys, ciphers and signatures come from the ``cryptography`` library.

    codec                  TLS structures and alerts
    client_hello           ClientHello
    key_exchange           groups, key schedule, PRF
    record_protection      cipher suites; encryption of records
    records                record layer: records and handshake messages, without a socket
    handshake_signature    signatures in the handshake
    credential             what is presented for a case, from its files
    tls13, tls12           the handshakes
    http                   one request, one page about the case
    session                all of this for one connection: bytes in, bytes out
    case_selection         which case is presented
    server                 sockets
"""
