"""The patience of whoever bakes: looks again and again, and says meanwhile that it lives."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.utils import timezone

from farm.agents.models import ServerImage
from farm.agents.reconciler.troubles import jitter
from provisioning.errors import Transient
from provisioning.lifecycle import poll_delay
from provisioning.provider import Machine, MachineStatus, Provider

Tell = Callable[[str], None]
Answer = TypeVar("Answer")
HELD = timedelta(minutes=2)
"""How long after its last sign of life a builder counts as dead."""


class BakingFailed(Exception):  # noqa: N818
    """No image was made; the message says where it stopped."""


@dataclass(frozen=True, slots=True)
class Baker:
    """Who bakes one image: the row, the cloud, seconds for each stage, and whom to tell."""

    row: ServerImage
    provider: Provider
    seconds: float
    tell: Tell

    def until(self, what: str, ask: Callable[[], Answer | None]) -> Answer:
        """What `ask` answers once it is true; BakingFailed with `what` was waited for in vain.

        A cloud or a machine that cannot answer for now is asked again.
        """
        began, last = time.monotonic(), ""
        while True:
            self.stay_alive()
            try:
                if found := ask():
                    return found
            except Transient as error:
                last = f" {error}"
            waited = time.monotonic() - began
            if waited > self.seconds:
                raise BakingFailed(f"Waited {self.seconds:.0f} s in vain for {what}.{last}")
            time.sleep(poll_delay(timedelta(seconds=waited), jitter()).total_seconds())

    def stay_alive(self) -> None:
        """Hold the row a while longer; BakingFailed if it was given up for dead."""
        held = ServerImage.objects.filter(pk=self.row.pk)
        if not held.update(held_until=timezone.now() + HELD):
            raise BakingFailed("Somebody cleared away what was being baked here: start again.")

    def machine(self, name: str) -> Machine:
        """The machine as it is now; BakingFailed if it vanished."""
        found = self.provider.find(name)
        if found is None:
            raise BakingFailed(f"{name} vanished while the image was baked.")
        return found

    def remove(self, name: str) -> None:
        """See that machine gone, whatever it takes."""
        self.until(f"the end of {name}", lambda: is_removed(self.provider, name))


def is_removed(provider: Provider, name: str) -> bool:
    """Whether no such machine is there; if it is, its end is ordered."""
    machine = provider.find(name)
    if machine and machine.status is not MachineStatus.DELETING:
        provider.delete(machine.provider_id)
    return machine is None
