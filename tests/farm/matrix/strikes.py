"""What strikes a flow, and at which of its outside calls: the other half of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from farm.sandbox.named_faults import FaultName
from tests.farm.matrix.farms import Farm
from tests.farm.matrix.flows import CloudName

KILLS = ("killed-before", "killed-after")
SECONDS = 1
"""How long what is over by itself lasts."""
ORDERED = {FaultName.SOLD_OUT, FaultName.QUOTA, FaultName.ACTION_FAILS}
AT_MACHINES = {
    *(FaultName.BOOT_HANGS, FaultName.SSH_DIES, FaultName.HOST_KEY_CHANGES, FaultName.VANISH)
}
EVERYWHERE = frozenset(FaultName) - ORDERED - AT_MACHINES
"""What may happen to any request to a cloud."""
NEWEST = "SELECT uid FROM agents_server ORDER BY id DESC"


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault, or a kill of the worker, at the `call`-th call that it fits."""

    name: str
    call: int = 1

    def __str__(self) -> str:
        return f"{self.name}@{self.call}"

    @property
    def is_kill(self) -> bool:
        """Whether it ends the worker."""
        return self.name in KILLS

    @property
    def is_anywhere(self) -> bool:
        """Whether it may happen to any call, or to any request to a cloud."""
        return self.is_kill or self.name in EVERYWHERE

    @property
    def needs_machine(self) -> bool:
        """Whether it strikes one machine by its name."""
        return self.name == FaultName.VANISH

    def at(self, call: int) -> Strike:
        """The same at another call."""
        return replace(self, call=call)

    def arm(self, farm: Farm, cloud: CloudName, worker: int) -> None:
        """Nothing strikes but this, and calls are counted from here."""
        farm.control.delete("/faults").raise_for_status()
        fault = self._kill(worker) if self.is_kill else self._named(farm, cloud)
        farm.control.post("/faults", json=fault).raise_for_status()

    def _kill(self, worker: int) -> dict[str, str | int]:
        return {"signal": -worker, "call": self.call, "when": self.name.removeprefix("killed-")}

    def _named(self, farm: Farm, cloud: CloudName) -> dict[str, str | int]:
        fault: dict[str, str | int] = {"name": self.name, "cloud": cloud}
        fault |= {"call": self.call, "seconds": SECONDS}
        if self.name == FaultName.VANISH:
            fault["server"] = "farm-" + farm.ask(NEWEST)
        return fault


def struck(farm: Farm) -> bool:
    """Whether it came to that; disarms what did not strike."""
    left = farm.control.get("/faults").json()["armed"]
    return not left


FAULTS: Sequence[Strike] = tuple(Strike(name) for name in (*KILLS, *FaultName))
