"""What an agent goes through, and what its cloud then has of it: one table for every fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.farm.matrix.farms import Farm

Json = Mapping[str, object]
Billed = Mapping[str, int]
"""How many things of each kind cost money."""


class State(StrEnum):
    """Where an agent rests between two wishes."""

    NOTHING = "nothing"
    RUNNING = "running"
    STOPPED = "stopped"
    DELETED = "deleted"


class CloudName(StrEnum):
    """Where its machines are."""

    HETZNER = "hetzner"
    SCALEWAY = "scaleway"


@dataclass(frozen=True, slots=True)
class Flow:
    """A wish that takes an agent from one state to another; `said` is what it says besides."""

    name: str
    begins: State
    ends: State
    said: Callable[[CloudName], Mapping[str, str]] = field(default=lambda _cloud: {})

    def utter(self, farm: Farm, cloud: CloudName) -> None:
        """Have its member wish for it."""
        farm.wish(self.name, **self.said(cloud))


HOME = {CloudName.HETZNER: "germany", CloudName.SCALEWAY: "france"}
ELSEWHERE = {CloudName.HETZNER: "finland", CloudName.SCALEWAY: "netherlands"}

CREATE = Flow("ask", State.NOTHING, State.RUNNING, lambda cloud: {"region": HOME[cloud]})
STOP = Flow("stop", State.RUNNING, State.STOPPED)
WAKE = Flow("wake", State.STOPPED, State.RUNNING)
RESIZE = Flow("resize", State.RUNNING, State.RUNNING, lambda _cloud: {"plan": "large"})
MOVE = Flow("move", State.RUNNING, State.RUNNING, lambda cloud: {"region": ELSEWHERE[cloud]})
REBUILD = Flow("rebuild", State.RUNNING, State.RUNNING)
DELETE = Flow("delete", State.RUNNING, State.DELETED)

LIFE: Sequence[Flow] = (CREATE, STOP, WAKE, RESIZE, MOVE, REBUILD, DELETE)
"""Each begins where the one before it ends."""

WHOLE = {
    CloudName.HETZNER: {"servers": 1, "primary_ips": 1},
    CloudName.SCALEWAY: {"servers": 1, "ips": 1, "volumes": 1},
}
ASLEEP = {
    CloudName.HETZNER: {"snapshots": 1},
    CloudName.SCALEWAY: {"servers": 1, "ips": 1, "volumes": 1},
}
"""Hetzner charges for a machine that is off, Scaleway only for its disk and address."""
AWAKE = {State.RUNNING: "running", State.STOPPED: "stopped"}


def expected(cloud: CloudName, state: State) -> Billed:
    """What costs money there of an agent that rests, and nothing else does."""
    match state:
        case State.RUNNING:
            return WHOLE[cloud]
        case State.STOPPED:
            return ASLEEP[cloud]
        case _:
            return {}


def billed(farm: Farm, cloud: CloudName) -> Billed:
    """What costs money there now."""
    there = _books(farm, cloud, "inventory")
    kinds = ("servers", "primary_ips", "ips", "volumes", "snapshots")
    counted = Counter(
        kind for kind in kinds for one in there.get(kind, ()) if one.get("type") != "ipv6"
    )
    return dict(counted)


def powered(farm: Farm, cloud: CloudName) -> Sequence[str]:
    """How each machine there stands."""
    word = "status" if cloud is CloudName.HETZNER else "state"
    return [str(server[word]) for server in _books(farm, cloud, "inventory")["servers"]]


def unexplained(farm: Farm, cloud: CloudName) -> Sequence[Json]:
    """Lines of the cloud's invoice about a machine that no row of the farm knows."""
    lines = _books(farm, cloud, "invoice")["lines"]
    known = set(farm.ask("SELECT group_concat('farm-' || uid, ' ') FROM agents_server").split())
    ids = {line["server"] for line in lines if _machine(line) in known}
    return [line for line in lines if line["server"] not in ids]


def _machine(line: Json) -> str:
    """Hetzner's line of a server has its name, Scaleway's says it apart."""
    return str(line.get("server_name") or line["name"])


def _books(farm: Farm, cloud: CloudName, what: str) -> Mapping[str, Sequence[Json]]:
    return farm.books(f"/{what}" if cloud is CloudName.HETZNER else f"/scaleway/{what}")
