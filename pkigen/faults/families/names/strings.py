"""String types of attributes."""
