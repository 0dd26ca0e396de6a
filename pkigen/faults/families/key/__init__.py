"""Public keys that are weak, badly written, or of a kind that servers do not use (4.1.2.7)."""

from pkigen.faults.families.key import authority_keys, post_quantum, public_keys

__all__ = ["authority_keys", "post_quantum", "public_keys"]
