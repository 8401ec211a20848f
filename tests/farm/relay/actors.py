"""A farm's rows for the relay: an agent with a machine and a shared key, and the relay itself."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from django.utils import timezone

from farm.accounts.models import Account, User
from farm.accounts.services import account_of
from farm.agents.models import Agent, AgentPhase, Server, ServerPhase, SharedKey
from farm.agents.relay_keys import hash_of, new_relay_key
from farm.agents.relay_paths import RELAY_PATHS
from farm.billing.ai_rows import AiCall, AiDay, AiMonth
from farm.billing.payers import assign, default_payer
from farm.relay.app import relay_application

EUR = 1_000_000
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Cast:
    """An agent, the key it shares, and whose they are."""

    agent: Agent
    shared: SharedKey
    account: Account
    owner: User


def an_agent(
    shared_key: str,
    provider: str = "openai",
    *,
    budget: int = 10 * EUR,
    name: str = "Ada",
    address: str = "127.0.0.1",
    model: str = "gpt-5.4",
    base_url: str = "",
) -> Cast:
    """A running agent that thinks with a shared key, on a machine at `address`."""
    owner, _ = User.objects.get_or_create(email="alice@example.org")
    account = account_of(user=owner)
    shared = SharedKey.objects.create(
        account=account,
        name="the firm's",
        provider=provider,
        model=model,
        base_url=base_url,
        key=shared_key,
        monthly_micros=budget,
        created_at=timezone.now(),
    )
    agent = _thinking_with(shared, owner, name)
    a_machine(agent, address)
    assign(
        agent_uid=agent.uid,
        agent_name=agent.name,
        payer=default_payer(account),
        cost_centre="R&D",
        person=owner,
        monthly_micros=1,
        at=timezone.now(),
    )
    return Cast(agent, shared, account, owner)


def _thinking_with(shared: SharedKey, owner: User, name: str) -> Agent:
    relay_key, now = new_relay_key(), timezone.now()
    return Agent.objects.create(
        account=shared.account,
        owner=owner,
        name=name,
        host=f"{name.lower()}-{shared.provider}-{Agent.objects.count()}",
        created_at=now,
        blueprint="assistant",
        plan="small",
        region="germany",
        runtime_version="2026.9.6",
        model_provider=shared.provider,
        model=shared.model,
        shared_key=shared,
        relay_key=relay_key,
        relay_key_hash=hash_of(relay_key),
        ai_budget_micros=shared.monthly_micros,
        gateway_token="token",
        agreed_hourly_micros=1,
        agreed_monthly_micros=1,
        agreed_currency="EUR",
        phase=AgentPhase.RUNNING,
        phase_since=now,
    )


def a_machine(agent: Agent, address: str) -> Server:
    """A machine that is up."""
    now = timezone.now()
    return Server.objects.create(
        agent=agent,
        provider="hetzner",
        server_type="cx23",
        location="nbg1",
        requested_at=now,
        phase=ServerPhase.READY,
        phase_since=now,
        ipv4=address,
    )


@contextmanager
def a_relay() -> Iterator[str]:
    """A relay that listens on loopback; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        relay_application,
        factory=True,
        proxy_headers=False,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


def until(so: object, patience: float = PATIENCE) -> None:
    """Wait for a condition."""
    assert callable(so)
    deadline = time.monotonic() + patience
    while not so():
        assert time.monotonic() < deadline, "never came about"
        time.sleep(0.02)


def calling(relay: str, cast: Cast, *, address: str = "127.0.0.1") -> httpx.Client:
    """The agent's way to the relay, from an address, with its key in its provider's own header."""
    transport = httpx.HTTPTransport(local_address=address)
    provider = cast.shared.provider
    return httpx.Client(
        base_url=relay + RELAY_PATHS[provider],
        headers=shown(provider, cast.agent.relay_key),
        transport=transport,
        timeout=PATIENCE,
    )


def shown(provider: str, key: str) -> Mapping[str, str]:
    """The key where the provider's callers show theirs."""
    if provider == "anthropic":
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}
    if provider == "google":
        return {"x-goog-api-key": key}
    return {"Authorization": f"Bearer {key}"}


def books(cast: Cast) -> tuple[AiMonth, list[AiCall], list[AiDay]]:
    """What is written about the agent's spending, once no call is under way."""
    calls = AiCall.objects.filter(agent_uid=cast.agent.uid)
    until(lambda: not calls.filter(state=AiCall.State.OPEN).exists())
    month = AiMonth.objects.get(agent_uid=cast.agent.uid)
    days = AiDay.objects.filter(agent_uid=cast.agent.uid)
    return month, list(calls.order_by("pk")), list(days)
