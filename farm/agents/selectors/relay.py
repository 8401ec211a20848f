"""Who calls the relay: the agent behind a relay key, if it calls from its own machine."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from django.conf import settings

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, ServerPhase
from farm.agents.relay_keys import LENGTH, MARK, hash_of
from farm.agents.selectors.choices import COMPATIBLE_PROVIDER
from farm.billing.ai_calls import Spender
from farm.catalog import catalog


class UnknownKey(Exception):  # noqa: N818
    """No living agent has this relay key."""


class KeyWithdrawn(Exception):  # noqa: N818
    """The shared key behind this relay key was revoked."""


class WrongMachine(Exception):  # noqa: N818
    """The relay key was shown from another address than its agent's own machine's."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An agent that may call its provider: where that is, the real key, and what it may spend."""

    agent_uid: str
    agent_name: str
    language: str
    provider: str
    endpoint: str
    model: str
    key: str = field(repr=False)
    spender: Spender


def caller_with(relay_key: str, address: str) -> Caller:
    """The agent that shows this key from `address`; raises why it is none."""
    if len(relay_key) != LENGTH or not relay_key.startswith(MARK):
        raise UnknownKey
    agents = Agent.objects.select_related("shared_key").filter(wanted=Agent.Wanted.RUNNING)
    agent = agents.filter(relay_key_hash=hash_of(relay_key)).first()
    if agent is None or agent.shared_key is None:
        raise UnknownKey
    if not _is_its_machine(agent, address):
        raise WrongMachine(agent.uid)
    if agent.shared_key.revoked_at:
        raise KeyWithdrawn(agent.uid)
    return _caller(agent)


def endpoint_of(provider: str, base_url: str) -> str:
    """The address of a provider's API with its version, without a slash at its end."""
    if provider == COMPATIBLE_PROVIDER:
        return base_url.rstrip("/")
    endpoint = settings.MODEL_ENDPOINTS.get(provider) or catalog().models.get(provider).endpoint
    endpoint = str(endpoint).rstrip("/")
    # Anthropic's own tools leave the version out of the base address, and so may an operator.
    if provider == "anthropic" and not endpoint.endswith("/v1"):
        return f"{endpoint}/v1"
    return endpoint


def _is_its_machine(agent: Agent, address: str) -> bool:
    """Only its present machine counts, and none that showed another host key than ours."""
    server = machine_of(agent)
    if server is None or server.ipv4 is None or server.distrusted_at or server.wanted_gone:
        return False
    if server.phase not in (ServerPhase.BOOTING, ServerPhase.READY):
        return False
    try:
        return ipaddress.ip_address(address) == ipaddress.ip_address(server.ipv4)
    except ValueError:
        return False


def _caller(agent: Agent) -> Caller:
    shared = agent.shared_key
    if shared is None:
        raise UnknownKey
    return Caller(
        agent_uid=agent.uid,
        agent_name=agent.name,
        language=agent.language,
        provider=shared.provider,
        endpoint=endpoint_of(shared.provider, shared.base_url),
        model=shared.model,
        key=shared.key,
        spender=Spender(
            agent_uid=agent.uid,
            agent_name=agent.name,
            key_uid=shared.uid,
            budget_micros=agent.ai_budget_micros or 0,
            calls_per_minute=settings.RELAY_CALLS_PER_MINUTE,
            payer_uid=shared.payer_uid,
        ),
    )
