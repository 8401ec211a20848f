"""Many agents, wishes of all sorts and faults at random, against a plain model of what should be.

RANDOM_EXAMPLES and RANDOM_STEPS make it longer than the few that are tried each day.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from farm.sandbox.random_faults import MENDED
from tests.farm.matrix.farms import Farm, alive, wait_until
from tests.farm.matrix.flows import (
    ELSEWHERE,
    HOME,
    CloudName,
    State,
    billed,
    expected,
    powered,
    unexplained,
)
from tests.farm.matrix.living import UNSETTLED, Begin, Life
from tests.farm.matrix.strikes import SECONDS
from tests.farm.matrix.verdicts import standing

EXAMPLES = int(os.environ.get("RANDOM_EXAMPLES", "3"))
STEPS = int(os.environ.get("RANDOM_STEPS", "14"))
MOST = 3
PATIENCE = 360.0
MOMENT = 2.0
LEADS_TO = {
    "stop": State.STOPPED,
    "wake": State.RUNNING,
    "leave": State.DELETED,
    "try_again": State.RUNNING,
    "rebuild": State.RUNNING,
    "resize": State.RUNNING,
    "move": State.RUNNING,
}


class Wishes(RuleBasedStateMachine):
    """A farm whose members know their mind for a moment only; `model` is what they last wanted."""

    begin: Begin
    life: Life

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, State] = {}

    @property
    def farm(self) -> Farm:
        """The farm under way."""
        return self.life.farm

    @initialize(cloud=st.sampled_from(list(CloudName)))
    def open(self, cloud: CloudName) -> None:
        """A fresh farm at one cloud."""
        self.life = type(self).begin(cloud)
        self.farm.control.delete("/faults").raise_for_status()

    @precondition(lambda self: len(self.model) < MOST)
    @rule()
    def create(self) -> None:
        """One more agent."""
        uid = self.farm.wish("ask", region=HOME[self.life.cloud])
        self.model[uid] = State.RUNNING

    @precondition(lambda self: self.model)
    @rule(which=st.integers(0, MOST - 1), wish=st.sampled_from(list(LEADS_TO)))
    def want(self, which: int, wish: str) -> None:
        """Anything of any agent at any time; what is refused changes nothing."""
        uid = list(self.model)[which % len(self.model)]
        region = ELSEWHERE[self.life.cloud]
        said = self.farm.wish("attempt", wish=wish, uid=uid, plan="large", region=region)
        if said == "yes":
            self.model[uid] = LEADS_TO[wish]

    @rule(name=st.sampled_from(MENDED), call=st.integers(1, 6))
    def suffer(self, name: str, call: int) -> None:
        """Something is about to go wrong at the cloud, or at a machine."""
        fault = {"name": name, "cloud": self.life.cloud, "call": call, "seconds": SECONDS}
        self.farm.control.post("/faults", json=fault).raise_for_status()

    @rule()
    def die(self) -> None:
        """The worker is killed, and another one takes over."""
        os.killpg(self.life.worker, signal.SIGKILL)
        wait_until("it is dead", lambda: not alive(self.life.worker))
        self.life.worker = self.farm.restart()

    @rule()
    def wait(self) -> None:
        """A moment, or until nothing is under way."""
        try:
            wait_until("all rest", self._all_rest, MOMENT)
        except AssertionError:
            return

    def teardown(self) -> None:
        """When nothing goes wrong any more, everybody gets what they last wanted, and no more."""
        if not hasattr(self, "life"):
            return
        self.farm.control.delete("/faults").raise_for_status()
        try:
            wait_until("all rest", self._all_rest, PATIENCE)
            for uid in self._failed():
                self.farm.wish("attempt", wish="try_again", uid=uid)
                self.model[uid] = State.RUNNING
            wait_until("all are as wished", self._all_as_wished, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.model}; {standing(self.farm)}") from None
        self._judge()
        self.farm.close()

    def _judge(self) -> None:
        running = [uid for uid, state in self.model.items() if state is State.RUNNING]
        assert powered(self.farm, self.life.cloud).count("running") == len(running)
        assert unexplained(self.farm, self.life.cloud) == []
        greeted = [self.farm.wish("greet", uid=uid) for uid in running]
        wait_until("all answer", lambda: all(map(self._is_answered, greeted)))

    def _all_rest(self) -> bool:
        if any(self.farm.ask(question) != "0" for question in UNSETTLED):
            return False
        return all(self._phase(uid) in (state, "failed") for uid, state in self.model.items())

    def _all_as_wished(self) -> bool:
        if not self._all_rest() or self._failed():
            return False
        due: Counter[str] = Counter()
        for state in self.model.values():
            due.update(expected(self.life.cloud, state))
        return billed(self.farm, self.life.cloud) == dict(due)

    def _is_answered(self, message: str) -> bool:
        state = self.farm.ask("SELECT state FROM agents_message WHERE id = ?", message)
        return state == "answered"

    def _failed(self) -> list[str]:
        return [uid for uid in self.model if self._phase(uid) == "failed"]

    def _phase(self, uid: str) -> str:
        return self.farm.ask("SELECT phase FROM agents_agent WHERE uid = ?", uid)


def test_everybody_gets_what_they_last_wanted(begin: Begin) -> None:
    bound = type("Bound", (Wishes,), {"begin": staticmethod(begin)})
    few = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(bound, settings=few)
