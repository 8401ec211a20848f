"""What the rows of machines and of disks' copies say about the time for which clouds charge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import QuerySet

from farm.agents.models import MAIN, AgentPhase, DiskCopy, ProviderProject, Server
from farm.agents.spans import spans_in
from farm.billing.stays import Stay


class LastSeen:
    """Until when things surely existed by their cloud's own list; one query."""

    def __init__(self) -> None:
        rows = ProviderProject.objects.exclude(swept_at=None)
        self._swept = {row.pk: row.swept_at for row in rows}
        self._main = {row.provider: row.pk for row in rows if row.name == MAIN}

    def of(self, thing: Server | DiskCopy) -> datetime | None:
        """When its cloud's whole list was last read; None if it never was."""
        return self._swept.get(thing.project_id or self._main.get(thing.provider, 0))


def stay_of(server: Server, seen_at: datetime | None) -> Stay | None:
    """Its time at its cloud, where it was last seen at `seen_at`; None while nothing was made."""
    created = server.created_at
    if created is None:
        return None
    return Stay(
        server_uid=server.uid,
        agent_uid=server.agent.uid if server.agent else "",
        created_at=created,
        known_until=_known_until(server, created, seen_at),
        serving_since=server.serving_since,
        let_go_at=server.let_go_at,
        gone_at=server.gone_at,
        joined_at=server.joined_at,
        succeeds=server.takes_over_from_id is not None,
        spans=spans_in(server.spans),
    )


def stay_of_copy(copy: DiskCopy, seen_at: datetime | None) -> Stay | None:
    """The same of a copy of a disk: its agent's payer's, from the start until the agent is awake.

    While it is not known what it is charged by, nothing is known of it but that it was begun. It
    reads the machines made from it.
    """
    created = copy.created_at
    if created is None:
        return None
    seen = seen_at if copy.gigabytes is not None else None
    woken = [one.serving_since for one in copy.machines.all() if one.serving_since]
    return Stay(
        server_uid=copy.uid,
        agent_uid=copy.agent.uid,
        created_at=created,
        known_until=copy.gone_at or max(created, seen or created),
        serving_since=created,
        let_go_at=min(woken, default=None),
        gone_at=copy.gone_at,
    )


def stays_at(
    now: datetime, servers: QuerySet[Server], copies: QuerySet[DiskCopy]
) -> Sequence[Stay]:
    """Of all these that were ever made, as if seen now; in two queries, three where copies are."""
    machines = (stay_of(server, now) for server in servers.select_related("agent"))
    with_machines = copies.select_related("agent").prefetch_related("machines")
    kept = (stay_of_copy(copy, now) for copy in with_machines)
    return [stay for stay in (*machines, *kept) if stay]


def is_served(servers: Iterable[Server]) -> bool:
    """Whether a machine is there on which its agent has answered: its hours are counted."""
    return any(server.serving_since and not server.gone_at for server in servers)


def _known_until(server: Server, created: datetime, seen_at: datetime | None) -> datetime:
    if server.gone_at:
        return server.ended_at or server.gone_at
    if server.let_go_at:
        return server.let_go_at
    known = max(created, seen_at or created)
    if server.wanted_type and server.agent and server.agent.phase == AgentPhase.RESIZING:
        # When its other price began is known once that is over.
        return max(created, min(known, server.agent.phase_since))
    return known
