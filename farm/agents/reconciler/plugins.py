"""The software that Slack and WhatsApp need on an agent's machine, fetched once somebody asks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from django.utils import timezone

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, AgentPhase, SlackLink, WhatsAppLink
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.troubles import Nap, distrust, jitter
from farm.agents.services.channels import ask_reconfigure, lock
from provisioning.channels import Plugin, PluginState, install_plugin, plugin_state
from provisioning.errors import HostKeyMismatch, ProvisioningError, Transient
from provisioning.lifecycle import back_off
from provisioning.ssh import Shell

logger = logging.getLogger(__name__)
Link = TypeVar("Link", SlackLink, WhatsAppLink)
INSTALLING = timedelta(seconds=3)
AT_ONCE = timedelta(0)


def awake(agent: Agent) -> bool:
    """Whether it runs with all that was asked of it."""
    fulfilled = agent.fulfilled_generation >= agent.generation
    return agent.phase == AgentPhase.RUNNING and fulfilled


@contextmanager
def shell_at(agent: Agent) -> Iterator[Shell]:
    """A connection to the agent's machine; Transient if it has none."""
    machine = machine_of(agent)
    if machine is None:
        raise Transient("no_machine", f"{agent} has no machine.")
    with shell_of(machine) as shell:
        yield shell


def bring(claim: Claim[Link], plugin: Plugin) -> Nap:
    """Look whether it is there, and begin to fetch it if not; then the agent is told of the link.

    An agent on its way is left alone: its first answer does not wait for this. It rings later.
    """
    link = claim.row
    if link.agent.phase != AgentPhase.RUNNING:
        return None
    with shell_at(link.agent) as shell:
        shown = plugin_state(shell, plugin, link.agent.runtime_version)
        if shown in (PluginState.MISSING, PluginState.FAILED):
            install_plugin(shell, plugin, link.agent.runtime_version)
    if shown is PluginState.FAILED:
        link.attempts += 1
        logger.warning("%s: the software could not be installed, try %s.", link, link.attempts)
        return back_off(link.attempts + 3, jitter())
    return _tell(claim) if shown is PluginState.INSTALLED else INSTALLING


def after_link_trouble(claim: Claim[Link], error: ProvisioningError) -> Nap:
    """A machine that cannot be reached is asked again; one that shows a strange key never is."""
    link = claim.row
    machine = machine_of(link.agent)
    if isinstance(error, HostKeyMismatch):
        if machine:
            distrust(machine, error)
        return None
    link.attempts += 1
    logger.info("%s: attempt %s: %s", link, link.attempts, error)
    return back_off(link.attempts, jitter())


def _tell(claim: Claim[Link]) -> Nap:
    link, now = claim.row, timezone.now()
    machine = machine_of(link.agent)
    link.ready_on, link.attempts = machine.uid if machine else "", 0
    with claim.recording():
        claim.save("ready_on")
        ask_reconfigure(lock(link.agent), now)
    return None
