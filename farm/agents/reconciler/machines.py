"""The outside of this farm as the reconciler reaches it: clouds by their API, machines by SSH."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from farm.accounts.models import Door
from farm.accounts.services import record
from farm.agents.clouds import credentials_of
from farm.agents.models import FarmKey, ProviderProject, Server
from farm.agents.passes import trust_in
from farm.agents.projects import project_at
from farm.agents.request_budgets import ProjectBudget
from provisioning.budget import Urgency
from provisioning.certificates import Authority, new_private_key
from provisioning.errors import HostKeyMismatch, Transient
from provisioning.provider import Provider
from provisioning.registry import Credentials, provider_for
from provisioning.ssh import Shell, Target, connect

logger = logging.getLogger(__name__)


def provider_at(server: Server) -> Provider:
    """The project that the server is in, or is to be made in."""
    return provider_in(project_at(server), urgency_of(server))


def urgency_of(server: Server) -> Urgency:
    """Nobody waits for a machine of the pool: what members wait for goes first."""
    return Urgency.MEMBER if server.agent_id else Urgency.BACKGROUND


def provider_in(project: ProviderProject, urgency: Urgency = Urgency.MEMBER) -> Provider:
    """That project, each request counted in its budget; NeedsOperator if nothing opens it."""
    return _provider(credentials_of(project), ProjectBudget(project.pk, urgency))


@lru_cache(maxsize=64)
def _provider(credentials: Credentials, budget: ProjectBudget) -> Provider:
    return provider_for(credentials, budget, settings.CLOUD_ANSWER_SECONDS)


@transaction.atomic
def authority() -> Authority:
    """The farm's certificate authority; its first key is made when none is there."""
    keys = list(FarmKey.objects.filter(retired_at__isnull=True).order_by("-pk"))
    if not keys:
        private, public = new_private_key()
        now = timezone.now()
        keys = [FarmKey.objects.create(created_at=now, private_key=private, public_key=public)]
    return Authority.from_openssh([key.private_key for key in keys])


@contextmanager
def shell_of(server: Server) -> Iterator[Shell]:
    """A connection to the machine, noted in the audit trail.

    HostKeyMismatch without a word sent if the machine was ever distrusted.
    """
    if server.distrusted_at:
        raise HostKeyMismatch("host_key_mismatch", f"{server} showed a strange host key before.")
    if not server.ipv4:
        raise Transient("no_address", f"{server} has no address yet.")
    with connect(_target(server, server.ipv4), authority(), timezone.now()) as shell:
        record(account=None, actor=None, door=Door.FARM, verb="log in by ssh", subject=shell.key_id)
        yield shell


def _target(server: Server, address: str) -> Target:
    keys = (server.host_key, server.pending_host_key)
    return Target(
        host=address,
        port=settings.SSH_PORT,
        principal=server.uid,
        host_keys=tuple(key for key in keys if key),
        gateway=trust_in(server),
    )
