"""What our own tools say of a case: the rules of path validation, the requirements that do not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pkigen.environment.environment import Environment
from pkigen.environment.presented_cases import CasePresenter
from pkigen.errors import InputError
from pkigen.inspection.artifacts import read_path
from pkigen.inspection.path.verify import Verification, verify
from pkigen.requirements import findings, load_set
from pkigen.requirements.crl_lookup import CrlLookup

SETS = ("rfc5280", "web-server", "defender-iot")


class OwnTools:
    """Runs ``verify`` and ``check`` on the cases of an environment, at the build clock."""

    def __init__(self, environment: Environment) -> None:
        self._folder = environment.folder
        self._clock = datetime.fromisoformat(environment.manifest["clock"])
        self._authorities = {record["name"]: record for record in environment.manifest["authorities"]}
        published = {
            record["crl"]["url"]: (self._folder / record["crl"]["file"]).read_bytes()
            for record in self._authorities.values()
            if record["crl"] is not None and (self._folder / record["crl"]["file"]).is_file()
        }
        looker = CrlLookup(published, environment.manifest["base_url"])
        anchors = (artifact.certificate for artifact in read_path(environment.trust))
        trusted = tuple(anchor for anchor in anchors if anchor is not None)
        sound = (case.data for case in environment.cases() if "fault" not in case.data)
        taken = Counter(host.lower() for case in sound for host in case["hosts"])
        self._presenter = CasePresenter(self._folder, self._clock, trusted, looker.look, taken=taken)

    def findings(self, case: dict[str, Any]) -> tuple[str, ...]:
        """Return the rules of ``verify`` with the prefix ``path:``, then the IDs of violated requirements."""
        time = case["verdict"].get("at")
        self._presenter.now = datetime.fromisoformat(time) if time else self._clock
        return tuple(dict.fromkeys((*self._refused(case), *self._broken(case))))

    def _refused(self, case: dict[str, Any]) -> Iterator[str]:
        files = {kind: self._folder / path for kind, path in case["files"].items()}
        crls = (self._folder / "authorities" / name / f"{name}.crl" for name in case["path"])
        options = Verification(
            files["certificate"],
            self._presenter.now,
            chain=(files["chain"],) if "chain" in files else (),
            trust=tuple(self._folder / path for path in case["trust"]),
            crls=tuple(path for path in crls if path.is_file()),
            host=case["hosts"][0],
            purpose="server",
        )
        try:
            result = verify(options).result
        except InputError:
            yield "path:unreadable"
            return
        yield from (f"path:{problem.rule}" for problem in result.problems)

    def _broken(self, case: dict[str, Any]) -> Iterator[str]:
        own_name = None if "fault" in case else case["hosts"][0].lower()
        check_input, unread = self._presenter.present(case["files"], own_name, faulty="fault" in case)
        if unread:
            yield "unreadable"
        for name in SETS:
            yield from (one.requirement.id for one in findings(load_set(name), check_input) if one.failed)
