"""x509-limbo's own cases, judged by the validators of the matrix and by ``pkigen verify``."""
