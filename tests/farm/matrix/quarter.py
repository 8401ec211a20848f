"""A quarter of a year in a farm: wishes, faults, dead workers and leaps of the clock, by a seed."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.farm.matrix.farms import Farm, alive, wait_until
from tests.farm.matrix.living import UNSETTLED
from tests.farm.matrix.moved_clock import MovedClock
from tests.farm.matrix.verdicts import standing
from tests.sandbox.stripe.acting import GOOD, fill_in

HOUR, DAY = 3_600, 86_400
DAYS = 91
REGIONS = ("germany", "finland", "france", "netherlands")
WISHES = ("stop", "wake", "resize", "move", "leave", "stop", "wake")
SHARE = 0.02
"""Of all outside calls so many suffer something."""
RESTLESS = (
    "SELECT count(*) FROM agents_agent WHERE phase <> 'failed' AND phase <> wanted",
    "SELECT count(*) FROM billing_topup WHERE state IN ('asked', 'open')",
    *UNSETTLED,
)


@dataclass(slots=True)
class Quarter:
    """So many agents at once for three months; who leaves is followed by somebody else."""

    farm: Farm
    clock: MovedClock
    at_scaleway: int
    size: int
    seed: int
    patience: float
    worker: int = 0
    struck: int = 0
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - no secret

    @property
    def people(self) -> Sequence[str]:
        """Who pays in advance; of two, one keeps a card that is charged whenever it gets low."""
        return [f"person{number}@example.org" for number in range(2 + self.size // 10)]

    def pass_by(self, leaps: int) -> None:
        """Live through it in so many leaps; in the end nobody is left, and all is written down."""
        self.worker = self.farm.start_worker()
        self._pay_in()
        for number in range(leaps):
            self._suffer(number)
            self._fill_up()
            self.come_to_rest()
            living = self.living()
            for uid in self.dice.sample(living, k=-(-len(living) // 3)):
                self._want_something(uid)
            if number % 3 == 1:
                self._die()
            self.come_to_rest()
            self.clock.leap(DAYS * DAY // leaps - self.dice.randrange(DAY // 2))
            self._take_stock()
        self._calm_down()
        self._leave()

    def living(self) -> Sequence[str]:
        """Whoever nobody wants to be gone."""
        return self.farm.ask(LIVING).split()

    def come_to_rest(self) -> None:
        """Everybody has what they want; who failed is tried again, as its member would."""
        wait_until("all rest", self._all_rest, self.patience)
        for uid in self._failed():
            self.farm.wish("attempt", wish="try_again", uid=uid)
        try:
            wait_until("all rest", lambda: self._all_rest() and not self._failed(), self.patience)
        except AssertionError as error:
            raise AssertionError(f"{error}; {standing(self.farm)}") from None

    def _suffer(self, number: int) -> None:
        """From here on things go wrong at random, otherwise than before."""
        chance = {"seed": self.seed + number, "share": SHARE, "seconds": 2.0}
        self._calm_down()
        self.farm.control.post("/faults/random", json=chance).raise_for_status()

    def _calm_down(self) -> None:
        armed = self.farm.control.get("/faults").raise_for_status().json()
        self.struck += armed["random"]["struck"] if armed["random"] else 0
        self.farm.control.delete("/faults").raise_for_status()

    def _pay_in(self) -> None:
        """Everybody pays on the hosted page; what is paid ages before it buys more than one."""
        for number, email in enumerate(self.people):
            cents = {"cents": str(self.dice.randrange(700, 1_500))}
            page = self.farm.wish("open_wallet", email=email, **cents)
            fill_in(page, GOOD).raise_for_status()
            automatic = cents if number % 2 else {}
            assert self.farm.wish("come_back", email=email, **automatic) == "paid"
        self.clock.leap(8 * DAY)

    def _fill_up(self) -> None:
        """Those who are missing, for whoever pays; some have no money for one more."""
        for number in range(self.size - len(self.living())):
            email, region = self.dice.choice(self.people), REGIONS[2 * number % 3]
            self.farm.wish("ask_as", email=email, region=region)

    def _want_something(self, uid: str) -> None:
        """Anything that its member may think of; what is refused changes nothing."""
        wish, region = self.dice.choice(WISHES), self.dice.choice(REGIONS)
        plan = self.dice.choice(("small", "large"))
        self.farm.wish("attempt", wish=wish, uid=uid, plan=plan, region=region)

    def _die(self) -> None:
        """The worker is killed in the middle, and nobody takes its place for some hours."""
        os.killpg(self.worker, signal.SIGKILL)
        wait_until("it is dead", lambda: not alive(self.worker))
        self.clock.leap(self.dice.randrange(5 * HOUR))
        self.worker = self.farm.restart()

    def _take_stock(self) -> None:
        """Hours are written and whoever pays is looked at twice, as in any hour without a leap."""
        for question in (METERED, LOOKED_AT, LOOKED_AT):
            before = self.farm.ask(question)
            self.clock.leap(6 * 60)
            wait_until(
                f"{question} says later than {before}",
                lambda: self.farm.ask(question) > before,  # noqa: B023
                self.patience,
            )

    def _leave(self) -> None:
        for uid in self.living():
            self.farm.wish("attempt", wish="leave", uid=uid)
        self.come_to_rest()
        self.clock.leap(5 * 60)
        wait_until("the last hours are written", lambda: not self.farm.ask(UNMETERED))
        self.farm.wish("meter")

    def _all_rest(self) -> bool:
        return all(self.farm.ask(question) == "0" for question in RESTLESS)

    def _failed(self) -> Sequence[str]:
        return self.farm.ask(FAILED).split()


METERED = "SELECT ran_at FROM agents_meter"
LOOKED_AT = "SELECT min(due_at) FROM billing_customer"
LIVING = (
    "SELECT group_concat(uid, ' ') FROM"
    " (SELECT uid FROM agents_agent WHERE wanted <> 'deleted' ORDER BY id) AS a"
)
FAILED = (
    "SELECT group_concat(uid, ' ') FROM agents_agent WHERE phase = 'failed' AND wanted <> 'deleted'"
)
UNMETERED = (
    "SELECT uid FROM agents_server WHERE created_at IS NOT NULL AND NOT metered"
    " UNION SELECT uid FROM agents_diskcopy WHERE created_at IS NOT NULL AND NOT metered"
)
