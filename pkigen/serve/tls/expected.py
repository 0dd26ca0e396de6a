"""The verdict that TLS clients are expected to reach, which do not see the files of a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pkigen.faults import FAULTS

NOT_SENT = "The fault is only in a file of the server; TLS clients do not see it."


def expected_over_tls(data: Mapping[str, Any]) -> str:
    """Return accept, reject or varies for a case (its object in the manifest).

    It differs from the expected verdict if what the server presents is sound, and the fault only in a file
    that is not sent.
    """
    expected, fault = str(data["verdict"]["expected"]), data.get("fault")
    if fault is None:
        return expected
    if fault.get("against"):
        return expected if fault.get("sent", True) else "accept"
    types = [FAULTS.get(fault_id) for fault_id in fault["id"].split("+")]
    if all(one is None or one.sent for one in types):
        return expected
    verdicts = {"R" if one is None else one.verdict for one in types if one is None or one.sent}
    return "reject" if "R" in verdicts else "varies" if "V" in verdicts else "accept"
