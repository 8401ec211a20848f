"""What the farm makes before anybody asks for it: an image, a machine that stands ready, its claim.

Each is led through a strike as an agent's flows are, and judged by what its cloud then has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.farm.matrix.farms import alive, wait_until
from tests.farm.matrix.flows import CREATE, HOME, WHOLE, Billed, billed, unexplained
from tests.farm.matrix.living import PATIENCE, Life
from tests.farm.matrix.strikes import NEWEST, Strike, struck
from tests.farm.matrix.verdicts import answers, standing

WARM = (
    "SELECT count(*) FROM agents_server"
    " WHERE agent_id IS NULL AND phase = 'ready' AND warmed_at IS NOT NULL"
)
GOOD = "SELECT count(*) FROM agents_serverimage WHERE state = 'good'"
IMAGES = "SELECT count(*) FROM agents_serverimage"
UNSWEPT = "SELECT count(*) FROM agents_providerproject WHERE swept_at IS NULL AND provider = ?"


def build(life: Life, strike: Strike) -> bool:
    """Whoever bakes may be killed: what was good is whole, and nothing else is left."""
    farm = life.farm
    farm.control.delete("/faults").raise_for_status()
    baker = int(farm.order("baker")["pid"])
    farm.workers.append(baker)
    strike.arm(farm, life.cloud, baker)
    _until(life, "nobody bakes any more", lambda: not alive(baker))
    found = _calm(life)
    farm.wish("abandon_builds")
    _until(life, "nothing else is left", lambda: _swept(life) == farm.ask(GOOD))
    each = int(farm.ask(GOOD))
    _judge(life, {"snapshots": each} if each else {})
    return found


def fill(life: Life, strike: Strike) -> bool:
    """A machine is made ready: in the end one stands there."""
    _arm(life, strike, lambda: _keep_one(life))
    _until(life, "one is ready, or a worker was killed", lambda: _is_filled(life), or_killed=True)
    found = _calm(life)
    _stands_ready(life, 1)
    return found


def claim(life: Life, strike: Strike) -> bool:
    """An agent takes it: in the end it answers, and another one stands ready."""
    _keep_one(life)
    _stands_ready(life, 1)
    _arm(life, strike, lambda: CREATE.utter(life.farm, life.cloud))
    rests = ("running", "failed")
    _until(life, "it runs, or failed", lambda: life.farm.phase() in rests, or_killed=True)
    found = _calm(life)
    _until(life, "it runs, or failed", lambda: life.farm.phase() in rests)
    life.take_the_way_back()
    answers(life.farm)
    _stands_ready(life, 2)
    return found


@dataclass(frozen=True, slots=True)
class Supply:
    """One of the three, by its name; `needs_row` where a strike at one machine names its row."""

    name: str
    lead: Callable[[Life, Strike], bool]
    needs_row: bool = True

    def __str__(self) -> str:
        return self.name


SUPPLIES = (Supply("build", build, needs_row=False), Supply("fill", fill), Supply("claim", claim))


def _keep_one(life: Life) -> None:
    life.farm.wish("keep_ready", size="1", region=HOME[life.cloud])


def _arm(life: Life, strike: Strike, utter: Callable[[], None]) -> None:
    """One that strikes a machine by its name waits for its row."""
    life.farm.control.delete("/faults").raise_for_status()
    there = life.farm.ask(NEWEST)
    if there or not strike.needs_machine:
        strike.arm(life.farm, life.cloud, life.worker)
    utter()
    if strike.needs_machine and not there:
        wait_until("there is a row of a machine", lambda: bool(life.farm.ask(NEWEST)))
        strike.arm(life.farm, life.cloud, life.worker)


def _calm(life: Life) -> bool:
    """Whether it struck; nothing does from here on, and a worker is alive."""
    found = struck(life.farm)
    life.farm.control.delete("/faults").raise_for_status()
    if not alive(life.worker):
        life.worker = life.farm.restart()
    return found


def _is_filled(life: Life) -> bool:
    return life.farm.ask(WARM) == "1"


def _stands_ready(life: Life, machines: int) -> None:
    """One is warm, and so many machines cost money in all."""
    whole = {kind: count * machines for kind, count in WHOLE[life.cloud].items()}

    def is_so() -> bool:
        life.farm.wish("look_at_pools")
        return _is_filled(life) and billed(life.farm, life.cloud) == whole

    _until(life, f"one stands ready of {machines}", is_so)
    _judge(life, whole)


def _judge(life: Life, wanted: Billed) -> None:
    assert billed(life.farm, life.cloud) == wanted, standing(life.farm)
    assert unexplained(life.farm, life.cloud) == [] or not life.farm.ask(NEWEST)


def _swept(life: Life) -> str:
    life.farm.wish("sweep")
    wait_until("the cloud was looked through", lambda: life.farm.ask(UNSWEPT, life.cloud) == "0")
    return life.farm.ask(IMAGES)


def _until(life: Life, what: str, is_so: Callable[[], bool], *, or_killed: bool = False) -> None:
    try:
        wait_until(what, lambda: (or_killed and not alive(life.worker)) or is_so(), PATIENCE)
    except AssertionError as error:
        raise AssertionError(f"{error}; {standing(life.farm)}") from None
