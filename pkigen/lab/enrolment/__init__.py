"""Appliances that request their certificates from the enrollment server of the lab, through ACME or EST."""
