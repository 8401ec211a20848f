"""What a server's row says about the time for which its cloud charges."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from farm.agents.models import MAIN, ProviderProject, Server
from farm.agents.spans import spans_in
from farm.billing.rule import Stay


class LastSeen:
    """Until when machines surely existed by their cloud's own list; one query."""

    def __init__(self) -> None:
        rows = ProviderProject.objects.exclude(swept_at=None)
        self._swept = {row.pk: row.swept_at for row in rows}
        self._main = {row.provider: row.pk for row in rows if row.name == MAIN}

    def of(self, server: Server) -> datetime | None:
        """When its cloud's whole list was last read; None if it never was."""
        return self._swept.get(server.project_id or self._main.get(server.provider, 0))


def stay_of(server: Server, seen_at: datetime | None) -> Stay | None:
    """Its time at its cloud, where it was last seen at `seen_at`; None while nothing was made."""
    created = server.created_at
    if created is None:
        return None
    return Stay(
        server_uid=server.uid,
        agent_uid=server.agent.uid if server.agent else "",
        at_most_micros=server.agent.agreed_monthly_micros if server.agent else 0,
        created_at=created,
        known_until=_known_until(server, created, seen_at),
        serving_since=server.serving_since,
        let_go_at=server.let_go_at,
        gone_at=server.gone_at,
        spans=spans_in(server.spans),
    )


def is_served(servers: Iterable[Server]) -> bool:
    """Whether a machine is there on which its agent has answered: its hours are counted."""
    return any(server.serving_since and not server.gone_at for server in servers)


def _known_until(server: Server, created: datetime, seen_at: datetime | None) -> datetime:
    if server.gone_at:
        return server.ended_at or server.gone_at
    if server.let_go_at:
        return server.let_go_at
    return max(created, seen_at or created)
