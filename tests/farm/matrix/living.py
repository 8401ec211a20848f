"""How an agent is led through a flow while something strikes, and judged when all is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.farm.matrix.farms import Farm, alive, wait_until
from tests.farm.matrix.flows import (
    CREATE,
    STOP,
    WAKE,
    CloudName,
    Flow,
    State,
    billed,
    expected,
    powered,
    unexplained,
)
from tests.farm.matrix.strikes import NEWEST, Strike, struck
from tests.farm.matrix.verdicts import answers, standing

PATIENCE = 360.0
PACE = {
    "CLOUD_ANSWER_SECONDS": "3",
    "CREATE_DEADLINE_SECONDS": "15",
    "BOOT_DEADLINE_SECONDS": "15",
    "CAPACITY_RETRY_SECONDS": "1",
    "SETTLE_SECONDS": "1",
    "PAUSE_SECONDS": "1",
    "STOP_DEADLINE_SECONDS": "15",
    "WAKE_DEADLINE_SECONDS": "20",
    "SWEEP_SECONDS": "5",
}
PLAN = "/var/lib/openclaw/.openclaw/workspace/plan.txt"
KEPT = "SELECT state FROM agents_backup ORDER BY id DESC"
LAST = "SELECT state FROM agents_operation ORDER BY id DESC"
ROADS = {
    (State.NOTHING, State.RUNNING): (CREATE,),
    (State.NOTHING, State.STOPPED): (CREATE, STOP),
    (State.RUNNING, State.STOPPED): (STOP,),
    (State.STOPPED, State.RUNNING): (WAKE,),
}
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

    def lead_to(self, state: State) -> None:
        """By the shortest road, on which nothing goes wrong."""
        for flow in ROADS.get((self.state, state), ()):
            self.go(flow)

    def go(self, flow: Flow, strike: Strike | None = None) -> bool:
        """Through a flow, struck or not; answers whether the strike found its call."""
        assert self.state is flow.begins, f"{flow.name} begins {flow.begins}, not {self.state}"
        self.farm.control.delete("/faults").raise_for_status()
        self._utter(flow, strike)
        self._wait(f"{flow.name} is over, or its worker was killed", flow, or_killed=True)
        found = strike is not None and struck(self.farm)
        self.farm.control.delete("/faults").raise_for_status()
        if not alive(self.worker):
            self.worker = self.farm.restart()
        self._wait(f"{flow.name} is over", flow)
        failed = self.take_the_way_back()
        self.state = State(self.farm.phase())
        # A kill is nobody's reason to have less than was wished for.
        killed = strike is not None and strike.is_kill
        assert self.state is flow.ends or (failed and not killed), standing(self.farm)
        assert not killed or self.farm.ask(LAST) == "done", standing(self.farm)
        self.judge()
        return found

    def _utter(self, flow: Flow, strike: Strike | None) -> None:
        there = self.farm.ask(NEWEST)
        if strike and (there or not strike.needs_machine):
            strike.arm(self.farm, self.cloud, self.worker)
        flow.utter(self.farm, self.cloud)
        if strike and strike.needs_machine and not there:
            wait_until("there is a row of a machine", lambda: bool(self.farm.ask(NEWEST)))
            strike.arm(self.farm, self.cloud, self.worker)

    def take_the_way_back(self) -> bool:
        """As its member would: from what is kept of it, else from nothing; whether it had to."""
        if self.farm.phase() != "failed":
            return False
        if self.farm.wish("attempt", wish="rebuild") != "yes":
            assert self.farm.wish("attempt", wish="try_again") == "yes"
        self._wait("it is back after it failed", CREATE)
        assert self.farm.phase() != "failed", standing(self.farm)
        return True

    def _wait(self, what: str, flow: Flow, *, or_killed: bool = False) -> None:
        def over() -> bool:
            return (or_killed and not alive(self.worker)) or self._rests(flow.ends)

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
            assert powered(farm, cloud) == ["running"]
            answers(farm)
            self._keeps_its_plan()

    def _keeps_its_plan(self) -> None:
        """What it wrote on its first machine is there whatever became of that."""
        if not self.has_plan:
            write = f"echo Sunday > {PLAN} && chown openclaw: {PLAN}"
            self.farm.wish("on_machine", command=write)
            self.has_plan = True
            self.farm.wish("back_up")
            wait_until("a backup is kept", lambda: self.farm.ask(KEPT) == "kept")
        assert self.farm.wish("on_machine", command=f"cat {PLAN}").strip() == "Sunday"


Begin = Callable[[CloudName], Life]
"""Begins a life: a worker, and an agent that nobody has wished for yet."""
