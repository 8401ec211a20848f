"""Wishes about images and the pool, as the zygote's children utter them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from django.utils import timezone

from farm.accounts.models import Account, Door, User
from farm.agents import services
from farm.agents.images import build_images, places_in_use
from farm.agents.models import Agent, Pool, PooledServer, Server, ServerImage
from farm.agents.reconciler.machines import shell_of
from farm.agents.services.pool import PoolWish, set_pool

Order = Mapping[str, str]


def build(_order: Order) -> str:
    """Bake an image for each place in use; what was told."""
    told: list[str] = []
    build_images(actor=None, door=Door.CLI, places=places_in_use(), seconds=60, tell=told.append)
    return " ".join(told)


def baker(_order: Order) -> None:
    """The same in a process that a test may kill."""
    build({})


def keep_ready(order: Order) -> str:
    """Have so many machines kept ready; by somebody who may."""
    operator, _ = User.objects.get_or_create(
        email="operator@example.org", defaults={"is_superuser": True}
    )
    wish = PoolWish("small", order.get("region", "germany"), int(order["size"]))
    return str(set_pool(actor=operator, door=Door.CLI, wish=wish).pk)


def ask_many(order: Order) -> str:
    """So many agents at once, of the one member."""
    member = User.objects.earliest("pk")
    account = Account.objects.earliest("pk")
    for number in range(int(order["number"])):
        wish = services.AgentWish(name=f"Ada {number}", language="fr")
        services.create_agent(actor=member, account=account, door=Door.CLI, wish=wish)
    return order["number"]


def look_at_pools(_order: Order) -> str:
    """What time does: the next look at every pool, and at each of its machines, is due."""
    Pool.objects.update(due_at=timezone.now())
    PooledServer.objects.update(due_at=timezone.now())
    return "due"


def abandon_builds(_order: Order) -> str:
    """What time does: whoever baked has not been heard of for long."""
    ServerImage.objects.update(held_until=timezone.now() - timedelta(minutes=1))
    return "abandoned"


def age_runtime(_order: Order) -> str:
    """As if the machines that stand ready had been made for an older runtime."""
    PooledServer.objects.filter(claimed_at=None).update(runtime_version="2026.1.1")
    return look_at_pools({})


def on_pooled(order: Order) -> str:
    """A command as root on the oldest machine that nobody has claimed."""
    server = Server.objects.filter(agent=None, warmed_at__isnull=False).earliest("pk")
    with shell_of(server) as shell:
        return shell.run(("sh", "-c", order["command"])).stdout.decode()


def delete_all(_order: Order) -> str:
    """The end of every agent."""
    for agent in Agent.objects.filter(wanted=Agent.Wanted.RUNNING):
        services.delete_agent(actor=agent.owner, door=Door.CLI, agent=agent, without_backup=True)
    return "asked"


POOL_VERBS: Mapping[str, Callable[[Order], str]] = {
    "abandon_builds": abandon_builds,
    "age_runtime": age_runtime,
    "ask_many": ask_many,
    "build": build,
    "delete_all": delete_all,
    "keep_ready": keep_ready,
    "look_at_pools": look_at_pools,
    "on_pooled": on_pooled,
}
