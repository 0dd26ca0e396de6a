"""What an environment publishes: CRL and OCSP publishers, and the keys they sign with."""
