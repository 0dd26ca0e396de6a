"""BetterTLS: the profile ``bettertls``, and the comparison with the original test cases."""
