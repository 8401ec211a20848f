"""What is next for a machine that is to be off, asleep, or on again: decided from a snapshot."""

from __future__ import annotations

from provisioning.phases import ServerPhase
from provisioning.steps import Power, ServerSnapshot, ServerStep


def step_of_power(server: ServerSnapshot) -> ServerStep:
    """For one that is ready, halting, off or waking, and not wanted gone."""
    wanted_on = server.power is Power.ON
    match server.phase:
        case ServerPhase.READY:
            return ServerStep.LOOK if wanted_on else ServerStep.SWITCH_OFF
        case ServerPhase.HALTING:
            return ServerStep.SWITCH_ON if wanted_on else ServerStep.HALT
        case ServerPhase.WAKING if not wanted_on:
            return ServerStep.SWITCH_OFF
        case ServerPhase.WAKING:
            return ServerStep.REST if server.distrusted else ServerStep.RISE
        case _ if wanted_on:
            return ServerStep.SWITCH_ON
        case _:
            return ServerStep.RESIZE if server.to_resize else ServerStep.LOOK_OFF
