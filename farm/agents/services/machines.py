"""What only the operator does with an agent's machine: read its log, and log in to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.agents.events import note
from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, Server
from farm.agents.reconciler.machines import authority, shell_of
from farm.agents.refusals import Refused
from farm.agents.services.rights import demand_right
from provisioning import runtime
from provisioning.errors import ProvisioningError


@dataclass(frozen=True, slots=True)
class Login:
    """All that an SSH client needs for one machine: keys as OpenSSH text, good for five minutes."""

    host: str
    port: int
    host_keys: tuple[str, ...]
    private_key: str = field(repr=False)
    certificate: str


def log_of(*, actor: User, door: Door, agent: Agent, lines: int) -> str:
    """The last lines of its program's log, made harmless for a terminal.

    Told in the agent's history before it is read. Refused when its machine cannot be reached.
    """
    server = _machine(actor, agent)
    _tell(actor, door, agent, verb="read log", code="log_read")
    try:
        with shell_of(server) as shell:
            return runtime.log(shell, lines=lines)
    except ProvisioningError as error:
        raise Refused("", error.code, str(error)) from error


def login_to(*, actor: User, door: Door, agent: Agent) -> Login:
    """A key that opens its machine for five minutes; told in the agent's history."""
    server = _machine(actor, agent)
    _tell(actor, door, agent, verb="log in", code="logged_in")
    certificate = authority().certify(server.uid, timezone.now(), terminal=True)[0]
    return Login(
        host=str(server.ipv4),
        port=settings.SSH_PORT,
        host_keys=tuple(filter(None, (server.host_key, server.pending_host_key))),
        private_key=certificate.private_key,
        certificate=certificate.certificate,
    )


def _machine(actor: User, agent: Agent) -> Server:
    demand_right(actor, agent, Action.REACH_MACHINE)
    server = machine_of(agent)
    if server is None or not server.ipv4 or server.gone_at:
        raise Refused("", "no_machine", _("This agent has no machine now."))
    if server.distrusted_at:
        sentence = _("Its machine showed a strange host key: nothing is sent to it.")
        raise Refused("", "host_key_mismatch", sentence)
    return server


@transaction.atomic
def _tell(actor: User, door: Door, agent: Agent, *, verb: str, code: str) -> None:
    record(account=agent.account, actor=actor, door=door, verb=verb, subject=agent.uid)
    note(agent, code, at=timezone.now(), detail=actor.email)
