"""Which project of a cloud is meant: a server's own, or where an account's next one is made."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from farm.accounts.models import Account
from farm.agents.clouds import fingerprint_of
from farm.agents.models import MAIN, AccountProject, ProviderProject, Server, ServerPhase

FULL = "farm_full"
"""Why a project takes no more machines of ours: the account's own limit at the cloud."""
REFUSES = "cloud_refuses"
"""Why a project is asked for no machine: it refuses the farm's orders, which are all alike."""
CLOSED = (FULL, REFUSES)
COMING = (ServerPhase.REQUESTED, ServerPhase.CREATING, ServerPhase.BOOTING)
AT_AN_END = (ServerPhase.GONE, ServerPhase.LOST)


def project_of(provider: str) -> ProviderProject:
    """The project that the settings open; its row is made when it is first needed."""
    project, _ = ProviderProject.objects.get_or_create(
        provider=provider, name=MAIN, defaults={"due_at": timezone.now()}
    )
    return project


def project_at(server: Server) -> ProviderProject:
    """The project that a server is in, or is to be made in."""
    return server.project or project_of(server.provider)


def projects_at(provider: str) -> Sequence[ProviderProject]:
    """Every project at that cloud, the main one among them."""
    project_of(provider)
    return list(ProviderProject.objects.filter(provider=provider).order_by("pk"))


def servers_in(project: ProviderProject) -> QuerySet[Server]:
    """Its servers; rows from before there were several projects are the main one's."""
    own = Q(project=project)
    if project.name == MAIN:
        own |= Q(project=None, provider=project.provider)
    return Server.objects.filter(own)


def point_at_first(project: ProviderProject, now: datetime) -> None:
    """Its first machine was made: what opens it now is meant, as there is no other to be lost."""
    means = fingerprint_of(project)
    there = servers_in(project).exclude(phase__in=(*AT_AN_END, *COMING))
    if project.fingerprint != means and not there.exists():
        row = ProviderProject.objects.filter(pk=project.pk)
        row.update(fingerprint=means, pointed_at=now)


def closed_clouds() -> Collection[str]:
    """Clouds that make no machines for us: every open project there is full, or refuses."""
    return _without(ProviderProject.objects.exclude(reason__in=CLOSED))


def full_clouds() -> Collection[str]:
    """Those of them where every open project is full, or none is open."""
    return _without(ProviderProject.objects.exclude(reason=FULL))


def _without(room: QuerySet[ProviderProject]) -> Collection[str]:
    known = set(ProviderProject.objects.values_list("provider", flat=True))
    return known - set(room.filter(held=False).values_list("provider", flat=True))


def project_with_room(provider: str, account: Account) -> ProviderProject:
    """Where the account's next machine at that cloud is made.

    In its own project while that has room; an account without one gets the emptiest that has. In
    the main one, to wait there, if none has.
    """
    own = AccountProject.objects.filter(account=account, provider=provider).first()
    if own and _has_room(own.project):
        return own.project
    chosen = emptiest_project(provider)
    if chosen is None:
        return own.project if own else project_of(provider)
    if own is None:
        AccountProject.objects.get_or_create(
            account=account, provider=provider, defaults={"project": chosen}
        )
    return chosen


def _has_room(project: ProviderProject) -> bool:
    return not project.held and project.reason == ""


def emptiest_project(provider: str) -> ProviderProject | None:
    """The open one there with the fewest machines; None while every one is held or in trouble."""
    project_of(provider)
    living = Count("servers", filter=~Q(servers__phase__in=AT_AN_END))
    rows = ProviderProject.objects.filter(provider=provider, held=False, reason="")
    return rows.annotate(living=living).order_by("living", "pk").first()
