"""TLS endpoints: every certificate of an environment on one port, as it is, by the name asked for.

The handshake is our own (TLS 1.3, 1.2, and 1.0 for the case that is about it), since no library's server
can be had to do what this one is for: OpenSSL loads no certificate that it cannot read, none whose key
does not match, and signs nothing wrong. Keys, ciphers and signatures are the ``cryptography`` library's.

    codec, alerts        octets of TLS structures; what is said when a side gives up
    hello                ClientHello
    groups, schedule     key exchange; keys out of its secret
    suites, protection   cipher suites; records under their keys
    wire                 records and messages, without a socket
    proof, credential    signatures; what is presented for a case, out of its files
    modern, older        the handshakes
    answer, page         one request, one page
    session              all of that for one connection, octets in and octets out
    directory            which case is shown
    server               sockets
"""
