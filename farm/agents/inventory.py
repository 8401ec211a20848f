"""Every machine and copy of a disk that a cloud ever charged for, as it is held against the books.

It is read from the rows anew, and not by what the meter reads: a fault in either must show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from farm.agents.models import MAIN, DiskCopy, ProviderProject, Server
from farm.billing.cloud_invoices import Inventory
from farm.billing.expected import Thing
from farm.billing.models import PriceRow

LATELY = timedelta(hours=2)
"""By then the meter has written the last hours of what is gone."""
Times = Mapping[str, list[tuple[datetime, datetime | None]]]


def inventory_at(now: datetime, until: datetime, since: datetime | None = None) -> Inventory:
    """What was there from `since` on; `waiting` if not all before `until` is known of it by now."""
    things = [*_machines(now, until, since), *_copies(now, until, since)]
    prices: defaultdict[tuple[str, str], list[PriceRow]] = defaultdict(list)
    uids = {thing.uid for thing in things}
    for row in PriceRow.objects.order_by("valid_from", "pk").iterator():
        if row.server_uid in uids:
            prices[row.server_uid, row.kind].append(row)
    return Inventory(things, prices)


def _machines(now: datetime, until: datetime, since: datetime | None) -> Iterator[Thing]:
    seen = _seen()
    servers = Server.objects.exclude(created_at=None).select_related("agent").order_by("pk")
    for server in servers.exclude(gone_at__lt=since) if since else servers:
        created, agent = server.created_at or now, server.agent
        parts, ids = _parts_in(server.spans)
        end = (server.ended_at or server.gone_at) if server.gone_at else None
        under_way = bool(server.let_go_at or server.wanted_type)
        yield Thing(
            uid=server.uid,
            name=str(server),
            provider=server.provider,
            group=agent.uid if agent else server.uid,
            since=created,
            until=end,
            times=parts,
            cloud_ids=frozenset({server.provider_id, *ids} - {""}),
            waiting=_is_fresh(server, now)
            if end
            else under_way or not _is_seen(seen, server, until),
        )


def _copies(now: datetime, until: datetime, since: datetime | None) -> Iterator[Thing]:
    seen = _seen()
    copies = DiskCopy.objects.exclude(created_at=None).select_related("agent").order_by("pk")
    for copy in copies.exclude(gone_at__lt=since) if since else copies:
        yield Thing(
            uid=copy.uid,
            name=str(copy),
            provider=copy.provider,
            group=copy.agent.uid,
            since=copy.created_at or now,
            until=copy.gone_at,
            cloud_ids=frozenset({copy.cloud_id, copy.image} - {""}),
            waiting=_is_fresh(copy, now)
            if copy.gone_at
            else copy.gigabytes is None or not _is_seen(seen, copy, until),
        )


def _is_fresh(thing: Server | DiskCopy, now: datetime) -> bool:
    return thing.gone_at is not None and not thing.metered and now - thing.gone_at < LATELY


def _is_seen(
    seen: Mapping[tuple[str, int], datetime], thing: Server | DiskCopy, until: datetime
) -> bool:
    """Whether its cloud's whole list was read when the last hour before `until` was over."""
    at = seen.get((thing.provider, thing.project_id or 0))
    return at is not None and at >= until + timedelta(hours=1)


def _seen() -> Mapping[tuple[str, int], datetime]:
    """When each project's whole list was last read; 0 stands for a cloud's main one."""
    found: dict[tuple[str, int], datetime] = {}
    for project in ProviderProject.objects.exclude(swept_at=None):
        if project.swept_at:
            found[project.provider, project.pk] = project.swept_at
            if project.name == MAIN:
                found[project.provider, 0] = project.swept_at
    return found


def _parts_in(spans: str) -> tuple[Times, set[str]]:
    """For which times each kind was charged, and the cloud's ids of the parts."""
    times: defaultdict[str, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    ids = set()
    for line in spans.splitlines():
        kind, cloud_id, since, until, _ = line.split()
        end = None if until == "-" else datetime.fromisoformat(until)
        times[kind].append((datetime.fromisoformat(since), end))
        ids.add(cloud_id)
    return {kind: sorted(found, key=lambda span: span[0]) for kind, found in times.items()}, ids
