"""A machine that stands ready becomes an agent's, and its gateway goes on without another start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from farm.agents.machine_of import machine_of
from farm.agents.models import (
    AccountProject,
    Agent,
    OperationStep,
    Pool,
    PooledServer,
    Power,
    Server,
    ServerPhase,
)
from farm.agents.placement import agreed_by
from farm.agents.projects import project_at
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.marks import begin_line, note_server
from farm.billing.selectors import at_most_monthly, rates_of
from provisioning import warming
from provisioning.errors import Transient
from provisioning.runtime import RuntimeSettings
from provisioning.ssh import Shell

TAKE_UP = timedelta(seconds=15)
"""How long a running gateway may take to go by what was written; then it is started anew."""


def claim_ready(claim: Claim[Agent]) -> bool:
    """Whether a machine of the pool is the agent's now, at no more than it agreed to.

    Of two agents who ask for one machine only one gets it: one UPDATE repeats the whole predicate.
    """
    agent = claim.row
    return any(_take(claim, server, timezone.now()) for server in _within_price(agent))


def is_warm(agent: Agent, wanted: RuntimeSettings) -> bool:
    """Whether its machine is from the pool, and the gateway there can take these settings up.

    Not once it was started for its agent, nor where a backup takes the place of what it has.
    """
    rows = PooledServer.objects.filter(server=machine_of(agent), spent_at=None)
    row = rows.filter(step=PooledServer.Step.WARM, claimed_at__isnull=False).first()
    if row is None or agent.restore_from_id or agent.running_since:
        return False
    return row.started_with == warming.started_with(wanted)


def spend(server: Server, now: datetime) -> None:
    """From now on it is started anew like any other."""
    PooledServer.objects.filter(server=server, spent_at=None).update(spent_at=now)


def is_taken_up(shell: Shell, wanted: RuntimeSettings) -> bool:
    """Whether its gateway goes by what was written; while it changes over it answers nobody."""
    try:
        if not warming.is_taken_up(shell, wanted):
            return False
        warming.forget(shell)
    except Transient:
        return False
    return True


def _ready_for(agent: Agent) -> Q:
    """What a machine must be, all of it in the one UPDATE."""
    ready = PooledServer.objects.filter(
        server=OuterRef("pk"),
        step=PooledServer.Step.WARM,
        runtime_version=agent.runtime_version,
        pool__plan=agent.plan,
        pool__region=agent.region,
    )
    return Q(
        Exists(ready),
        agent=None,
        phase=ServerPhase.READY,
        wanted_gone=False,
        wanted_power=Power.ON,
        distrusted_at=None,
        warmed_at__isnull=False,
    )


def _within_price(agent: Agent) -> Sequence[Server]:
    """Those it could have, the cheapest first: by the price that each was bought at."""
    agreed, most = agreed_by(agent), at_most_monthly(agreed_by(agent))
    there = list(Server.objects.filter(_ready_for(agent)).order_by("pk"))
    rates = rates_of([server.uid for server in there])
    fitting = [
        (rate.hourly_micros, server.pk, server)
        for server in there
        if (rate := rates.get(server.uid))
        and rate.currency == agreed.currency
        and rate.hourly_micros <= agreed.hourly_micros
        and at_most_monthly(rate) <= most
        and _may_be_in(agent, server)
    ]
    return [server for _, _, server in sorted(fitting, key=lambda one: one[:2])]


def _may_be_in(agent: Agent, server: Server) -> bool:
    """An account whose machines are made in one project gets none of another."""
    own = AccountProject.objects.filter(account=agent.account, provider=server.provider).first()
    return own is None or own.project_id == project_at(server).pk


def _take(claim: Claim[Agent], server: Server, now: datetime) -> bool:
    agent = claim.row
    with claim.recording():
        own = Server.objects.filter(_ready_for(agent), pk=server.pk)
        if own.update(agent=agent, joined_at=now) != 1:
            return False
        pooled = PooledServer.objects.select_related("pool").get(server=server)
        PooledServer.objects.filter(pk=pooled.pk).update(claimed_at=now)
        # It opens that one gateway, which nobody ever used: from here on it is the agent's.
        agent.gateway_token = pooled.gateway_token
        agent.reason, agent.reason_detail = "", ""
        claim.save("gateway_token", "reason", "reason_detail")
        server.agent = agent
        begin_line(agent, OperationStep.Key.RESERVE, now)
        note_server(
            server, "machine_claimed", now, detail=f"{server.server_type} {server.location}"
        )
    # Another one is made ready at once.
    Pool.objects.filter(pk=pooled.pool_id).update(due_at=now)
    return True
