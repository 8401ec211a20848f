"""Which kind of guests a sandbox has, and the one sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from farm.sandbox.clock import Clock
from farm.sandbox.faults import Gate
from farm.sandbox.guests.base import GuestKind
from farm.sandbox.guests.real import RealGuests, probe
from farm.sandbox.guests.simulated import SimulatedGuests
from farm.sandbox.options import GuestsWish, SandboxError, SandboxOptions

REAL, SIMULATED = "real", "simulated"


@dataclass(frozen=True, slots=True)
class Choice:
    """REAL or SIMULATED, and why."""

    kind: str
    why: str


async def choose(options: SandboxOptions, known: str) -> Choice:
    """What is wished and possible; SandboxError when that cannot be had.

    `known` is the kind this folder's machines already are, "" at the first start: the disks of one
    kind are nothing to the other.
    """
    if known and options.guests not in (GuestsWish.AUTO, known):
        raise SandboxError(
            f"The machines in {options.state} are {known} guests: start with GUESTS={known}, or"
            " give another folder for the data."
        )
    wish = known or options.guests
    if wish == SIMULATED:
        asked = options.guests is GuestsWish.SIMULATED
        why = "GUESTS=simulated asks for them." if asked else "They were chosen at the first start."
        return Choice(SIMULATED, why)
    return await _real_if_possible(options, insist=wish == REAL)


async def _real_if_possible(options: SandboxOptions, *, insist: bool) -> Choice:
    verdict = await probe(_folder(options.state, REAL), options.cache)
    if verdict.possible:
        return Choice(REAL, f"Real ones can run here: {verdict.why}.")
    if insist:
        raise SandboxError(
            f"Real guests cannot run here: {verdict.why}. Mend that, or take simulated ones with"
            " GUESTS=simulated and another folder for the data."
        )
    return Choice(SIMULATED, f"Real ones cannot run here: {verdict.why}.")


def guests_of(choice: Choice, options: SandboxOptions, *, clock: Clock, gate: Gate) -> GuestKind:
    """The guests of that kind, with their disks in the sandbox's folder."""
    folder = _folder(options.state, choice.kind)
    if choice.kind == REAL:
        return RealGuests(state=folder, cache=options.cache, why=choice.why)
    return SimulatedGuests(state=folder, clock=clock, gate=gate, why=choice.why)


def _folder(state: Path, kind: str) -> Path:
    return state / "guests" / kind
