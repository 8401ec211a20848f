"""How an agent is led through a flow while something strikes, and judged when all is over."""

from __future__ import annotations

from dataclasses import dataclass

from tests.farm.matrix.farms import Farm, alive, wait_until
from tests.farm.matrix.flows import (
    CloudName,
    Flow,
    State,
    billed,
    expected,
    powered,
    unexplained,
)
from tests.farm.matrix.strikes import Strike, struck
from tests.farm.matrix.verdicts import answers, standing

PATIENCE = 120.0
PLAN = "/var/lib/openclaw/.openclaw/workspace/plan.txt"
ON = {CloudName.HETZNER: "running", CloudName.SCALEWAY: "running"}
OFF = {CloudName.HETZNER: "off", CloudName.SCALEWAY: "stopped"}
UNSETTLED = (
    "SELECT count(*) FROM agents_operation WHERE state = 'under_way'",
    "SELECT count(*) FROM agents_change",
    "SELECT count(*) FROM agents_server WHERE phase = 'deleting'",
    "SELECT count(*) FROM agents_diskcopy WHERE phase IN ('making', 'leaving')",
)


@dataclass(slots=True)
class Life:
    """One agent of a farm at one cloud, from before it is wished for."""

    farm: Farm
    cloud: CloudName
    worker: int = 0
    state: State = State.NOTHING
    has_plan: bool = False

    def begin(self) -> None:
        """A worker drives it from here on."""
        self.worker = self.farm.start_worker()

    def go(self, flow: Flow, strike: Strike | None = None) -> bool:
        """Through a flow, struck or not; answers whether the strike found its call."""
        assert self.state is flow.begins, f"{flow.name} begins {flow.begins}, not {self.state}"
        self.farm.control.delete("/faults").raise_for_status()
        if strike:
            strike.arm(self.farm, self.cloud, self.worker)
        flow.utter(self.farm, self.cloud)
        self._wait(f"{flow.name} is over, or its worker was killed", flow)
        found = strike is not None and struck(self.farm)
        self.farm.control.delete("/faults").raise_for_status()
        if not alive(self.worker):
            self.worker = self.farm.restart()
        self._wait(f"{flow.name} is over", flow, killed=False)
        if self.farm.phase() == "failed":
            self.farm.wish("retry")
            self._wait(f"{flow.name} is over after another try", flow, killed=False)
        self.state = flow.ends
        self.judge()
        return found

    def _wait(self, what: str, flow: Flow, *, killed: bool = True) -> None:
        def over() -> bool:
            return (killed and not alive(self.worker)) or self._rests(flow.ends)

        try:
            wait_until(what, over, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}; {standing(self.farm)}") from None

    def _rests(self, state: State) -> bool:
        """Whether nothing more comes of itself: it is as wished, or failed with a way back."""
        phase = self.farm.phase()
        if phase not in (state, "failed"):
            return False
        if any(self.farm.ask(question) != "0" for question in UNSETTLED):
            return False
        return phase == "failed" or billed(self.farm, self.cloud) == expected(self.cloud, state)

    def judge(self) -> None:
        """What was desired is there once, nothing else is, and no line is unexplained."""
        farm, cloud = self.farm, self.cloud
        assert farm.phase() == self.state, standing(farm)
        assert billed(farm, cloud) == expected(cloud, self.state), standing(farm)
        assert unexplained(farm, cloud) == []
        if self.state is State.RUNNING:
            assert powered(farm, cloud) == [ON[cloud]]
            answers(farm)
            self._keeps_its_plan()

    def _keeps_its_plan(self) -> None:
        """What it wrote on its first machine is there whatever became of that."""
        if not self.has_plan:
            write = f"echo Sunday > {PLAN} && chown openclaw: {PLAN}"
            self.farm.wish("on_machine", command=write)
            self.has_plan = True
        assert self.farm.wish("on_machine", command=f"cat {PLAN}").strip() == "Sunday"
