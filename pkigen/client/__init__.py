"""Runs a TLS client, any command, against the certificates of an environment: ``run`` and its ``reports``."""

from __future__ import annotations

from pkigen.client.run import ClientResult, Outcome, run_client

__all__ = ["ClientResult", "Outcome", "run_client"]
