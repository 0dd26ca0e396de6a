"""What authorities publish: the recorded plans, the keys that sign, and faulty copies in memory."""
