"""asyncua and node-opcua with the PKI directories that `pkigen export` writes: ``make opcua``."""
