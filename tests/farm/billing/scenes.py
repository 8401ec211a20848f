"""Machines and agents with prices, made as rows, for everything that counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from farm.accounts.models import Account, User
from farm.agents.models import Agent, AgentPhase, Offer, ProviderProject, Server, ServerPhase
from farm.billing.payers import assign, default_payer
from farm.billing.prices import Rate, pin_prices

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
SERVER = Rate(hourly_micros=6_400, monthly_micros=3_990_000, currency="EUR")
IPV4 = Rate(hourly_micros=800, monthly_micros=500_000, currency="EUR")
HOURLY = 7_200
MONTHLY = 4_490_000


def agent_of(owner: User, account: Account, name: str = "Ada", at: datetime = NOON) -> Agent:
    """An agent that runs since `at`, paid by the account's default payer."""
    agent = Agent.objects.create(
        account=account,
        owner=owner,
        name=name,
        host=f"{name.lower()}-{owner.pk}-{account.pk}",
        created_at=at,
        blueprint="assistant",
        plan="small",
        region="germany",
        runtime_version="1",
        model_provider="sandbox",
        model="sandbox-1",
        gateway_token="token",
        agreed_hourly_micros=HOURLY,
        agreed_monthly_micros=MONTHLY,
        agreed_currency="EUR",
        phase=AgentPhase.RUNNING,
        phase_since=at,
        running_since=at,
    )
    assign(
        agent_uid=agent.uid,
        agent_name=agent.name,
        payer=default_payer(account),
        cost_centre="",
        person=owner,
        monthly_micros=MONTHLY,
        at=at,
    )
    return agent


def machine_of(
    agent: Agent | None,
    *,
    created: datetime = NOON,
    serving: datetime | None = None,
    gone: datetime | None = None,
) -> Server:
    """A machine with its prices pinned; it serves from `serving` on, if at all."""
    server = Server.objects.create(
        agent=agent,
        provider="hetzner",
        server_type="cx23",
        location="nbg1",
        requested_at=created,
        phase=ServerPhase.GONE if gone else ServerPhase.READY,
        phase_since=created,
        created_at=created,
        serving_since=serving,
        gone_at=gone,
    )
    pin_prices(server_uid=server.uid, at=created, server=SERVER, ipv4=IPV4)
    return server


def offer(kind: str, hourly: int, *, provider: str = "hetzner", location: str = "nbg1") -> None:
    """What a cloud sells there, with a disk of 40 GB."""
    at_scaleway = provider == "scaleway"
    Offer.objects.create(
        provider=provider,
        server_type=kind,
        location=location,
        available=True,
        hourly_micros=hourly,
        monthly_micros=None if at_scaleway else hourly * 623,
        ipv4_hourly_micros=800,
        ipv4_monthly_micros=None if at_scaleway else 500_000,
        volume_hourly_micros=1_180 if at_scaleway else 0,
        volume_monthly_micros=None if at_scaleway else 0,
        copy_terabyte_hourly_micros=19_589,
        copy_terabyte_monthly_micros=None if at_scaleway else 14_300_000,
        disk_gb=40,
        currency="EUR",
        seen_at=NOON,
    )


def swept(at: datetime) -> None:
    """The cloud's whole list was read at that moment."""
    ProviderProject.objects.update_or_create(provider="hetzner", defaults={"swept_at": at})


def hours_ago(hours: float) -> datetime:
    """So long before now."""
    return timezone.now() - timedelta(hours=hours)
