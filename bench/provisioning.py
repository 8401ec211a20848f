"""What the farm asks of a cloud, beside the official command line: python -m bench.provisioning.

Words choose the parts: create, fleet, budget, settled (all of them unless given); numbers after a
part change its size, as in `create=20 budget=200@10` (200 agents, the sandbox ten times as fast).
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import httpx

from farm.sandbox.clock import Clock
from farm.sandbox.hetzner.limits import Budget
from provisioning.hetzner import Hetzner
from tests.contract.subjects import CX23, OURS, order_of
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, cloud_at_work
from tests.sandbox.hetzner.memory_guests import MemoryGuests
from tests.sandbox.running import RunningSandbox, sandbox

SIZES = {"create": "100", "fleet": "1000", "budget": "1000@10", "settled": "1000,10000"}
SLOW_ACTION = {"kind": "hetzner", "match": ["POST /servers"], "times": None, "action": {"delay": 8}}
THREADS = 8
say = sys.stdout.write


def main(words: Sequence[str]) -> None:
    """The parts that were asked for, each in a farm of its own."""
    wanted = dict(word.partition("=")[::2] for word in words) or dict.fromkeys(SIZES, "")
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        with sandbox(folder / "outside") as outside:
            _stand_up(folder, outside)
            for part, size in wanted.items():
                PARTS[part](size or SIZES[part], outside, folder / part)


def _stand_up(folder: Path, outside: RunningSandbox) -> None:
    """A farm in that folder: settings are read once, so the environment comes first."""
    os.environ |= {
        **outside.env,
        "FARM_DATA": str(folder / "farm"),
        "DJANGO_SETTINGS_MODULE": "farm.settings",
        "LOG_LEVEL": "ERROR",
        "AGENTS_PER_PERSON": "100000",
        "BOOT_DEADLINE_SECONDS": "3600",
        "CREATE_DEADLINE_SECONDS": "36000",
        "CONFIGURE_DEADLINE_SECONDS": "3600",
    }
    import django
    from django.core.management import call_command

    Path(os.environ["FARM_DATA"]).mkdir(parents=True, exist_ok=True)
    django.setup()
    call_command("migrate", verbosity=0, skip_checks=True)


def create(size: str, outside: RunningSandbox, _folder: Path) -> None:
    """Requests from nothing to a booted machine, each create taking the cloud 8 seconds."""
    count = int(size)
    control = httpx.Client(base_url=outside.control, timeout=30)
    control.post("/hetzner/limits", json={"servers": count + 10}).raise_for_status()
    cli = _with_cli(outside, control)
    control.delete("/faults")
    control.post("/faults", json=SLOW_ACTION).raise_for_status()
    from farm.agents.models import RequestBudget, Server

    with _farm(count), _worker():
        _until(lambda: Server.objects.filter(phase="ready").count() == count, 3600)
        asked = RequestBudget.objects.get(project__provider="hetzner").asked
    say(f"create: {count} agents together, {asked} requests: {asked / count:.2f} each (<= 3)\n")
    if cli:
        say(
            f"create: hcloud server create: {cli} requests each,"
            f" {cli * count / asked:.1f} times ours\n"
        )
    control.delete("/faults")


def _with_cli(outside: RunningSandbox, control: httpx.Client) -> int:
    """How many requests the official command line sends for one server; 0 where there is none."""
    if not shutil.which("hcloud"):
        say("create: no hcloud command line here (Debian's hcloud-cli)\n")
        return 0
    control.delete("/faults")
    hetzner = outside.report.services.hetzner
    environ = {
        **os.environ,
        "HCLOUD_TOKEN": outside.env["HETZNER_TOKEN"],
        "HCLOUD_ENDPOINT": hetzner.endpoint,
    }
    order = ["--name", "cli", "--type", "cx23", "--image", "debian-12", "--location", "nbg1"]
    subprocess.run(
        ["hcloud", "server", "create", *order], env=environ, check=True, capture_output=True
    )
    calls = control.get("/calls").json()["calls"]
    return sum(1 for call in calls if call["kind"] == "hetzner")


def fleet(size: str, _outside: RunningSandbox, folder: Path) -> None:
    """Requests to see a whole fleet once."""
    count = int(size)
    # At this speed the budget, which is not measured here, is always full.
    clock, guests = Clock(speed=100_000), MemoryGuests(room=count + 10)
    with cloud_at_work(folder, guests=guests, clock=clock) as at_work:
        at_work.order("/hetzner/limits", {"servers": count})
        provider = Hetzner(token=at_work.cloud.token, endpoint=at_work.endpoint)
        order = order_of(CX23)
        for number in range(count):
            provider.create(replace(order, name=f"farm-{number}"))
        at_work.cloud.gate.clear()
        seen = len(provider.machines(OURS))
        asked = at_work.cloud.gate.count
    say(f"fleet: {seen} servers seen by {asked} requests (<= {count // 50 + 1})\n")


def budget(size: str, _outside: RunningSandbox, folder: Path) -> None:
    """Many agents at once against a budget that is empty, until all their machines are on."""
    words, _, fast = size.partition("@")
    count, speed = int(words), float(fast or "1")
    clock = Clock(speed=speed)
    with cloud_at_work(folder, guests=MemoryGuests(room=count + 10), clock=clock) as at_work:
        at_work.order("/hetzner/limits", {"servers": count})
        bucket = Counted(clock.now(), gate_of=at_work)
        at_work.cloud._budgets[_project(at_work)] = bucket
        with _pointed_at(at_work, speed), _farm(count):
            _use_up(bucket, clock, speed)
            began = time.monotonic()
            with _worker():
                _until(lambda: _on() >= count, 7200)
            took = time.monotonic() - began
    bound = bucket.given / speed
    members = [call for call in bucket.refused if "/servers" in call or "/actions" in call]
    say(
        f"budget: {count} machines by {bucket.given} requests in {took:.0f} s at speed {speed:g};"
        f" the budget's own bound {bound:.0f} s: {took / bound:.2f} (<= 1.1)\n"
        f"budget: {len(bucket.refused)} answers 429, {len(members)} of them to a member's request\n"
    )


@dataclass(slots=True)
class Counted(Budget):
    """A bucket that tells how many it gave, and to what it did not."""

    gate_of: CloudAtWork | None = None
    given: int = 0
    refused: list[str] = field(default_factory=list)

    def take(self, now: datetime) -> bool:
        """As the cloud's own."""
        taken = Budget.take(self, now)
        if taken:
            self.given += 1
        elif self.gate_of:
            self.refused.append(self.gate_of.cloud.gate.calls[-1].detail)
        return taken


def settled(size: str, _outside: RunningSandbox, _folder: Path) -> None:
    """One round over agents that are as they should be: CPU and queries for each."""
    rows = [_settled(int(word)) for word in size.split(",")]
    first, last = rows[0], rows[-1]
    say(
        f"settled: at {last.agents} an agent costs {last.cpu / first.cpu:.2f} times the CPU and"
        f" {last.queries / first.queries:.2f} times the queries of one at {first.agents} (flat)\n"
    )


@dataclass(frozen=True, slots=True)
class Round:
    """What one round cost: CPU in milliseconds and queries, for each agent."""

    agents: int
    cpu: float
    queries: float


def _settled(count: int) -> Round:
    from django.db import connection
    from django.utils import timezone

    from farm.agents.models import Agent
    from farm.agents.reconciler.driving import AGENTS

    asked = [0]

    def counting(execute: Callable[..., object], *rest: object) -> object:
        asked[0] += 1
        return execute(*rest)

    with _farm(count, settled=True):
        now = timezone.now()
        Agent.objects.update(due_at=now)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.process_time()
        with connection.execute_wrapper(counting):
            while jobs := list(AGENTS.jobs(timezone.now())):
                for job in jobs:
                    job.work(lambda _: None)
        cpu = 1000 * (time.process_time() - began) / count
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    say(
        f"settled: {count:>6} agents {cpu:6.2f} ms of CPU, {asked[0] / count:5.2f} queries each;"
        f" memory grew by {grown:.0f} MB\n"
    )
    return Round(count, cpu, asked[0] / count)


@contextmanager
def _farm(count: int, *, settled: bool = False) -> Iterator[None]:
    """A farm with so many agents just asked for, or long since settled; empty again afterwards."""
    from django.core.management import call_command
    from django.utils import timezone

    from farm.agents.reconciler.machines import authority
    from farm.agents.reconciler.projects import ensure_projects

    authority()
    if settled:
        _settle(count)
    else:
        ensure_projects(timezone.now())
        _until(_priced, 600)
        _ask(count)
    try:
        yield
    finally:
        call_command("flush", verbosity=0, interactive=False)


def _priced() -> bool:
    """Take what steps are due; whether the cloud's prices are known."""
    from django.utils import timezone

    from farm.agents.models import Offer
    from farm.agents.worker import drive_due

    drive_due(timezone.now())
    return Offer.objects.exists()


def _ask(count: int) -> None:
    from farm.accounts.models import Door, User
    from farm.accounts.services import account_of
    from farm.agents import services

    owner = User.objects.create(email="bench@example.org")
    account = account_of(user=owner)
    for number in range(count):
        wish = services.AgentWish(name=f"Ada {number}")
        services.create_agent(actor=owner, account=account, door=Door.CLI, wish=wish)


def _settle(count: int) -> None:
    from django.utils import timezone

    from farm.accounts.models import User
    from farm.accounts.services import account_of
    from farm.agents.models import Agent, Server
    from farm.agents.projects import project_of
    from farm.catalog import catalog

    now, owner = timezone.now(), User.objects.create(email="bench@example.org")
    account, project = account_of(user=owner), project_of("hetzner")
    agents = Agent.objects.bulk_create(
        [
            Agent(
                account=account, owner=owner, name=f"Ada {number}", host=f"ada-{number}",
                created_at=now, blueprint="assistant", plan="small", region="germany",
                language="en", runtime_version=catalog().runtime_version,
                model_provider="sandbox", model="sandbox-1", agreed_hourly_micros=7_900,
                agreed_monthly_micros=4_902_000, agreed_currency="EUR", phase="running",
                phase_since=now, fulfilled_generation=1,
            )
            for number in range(count)
        ]
    )  # fmt: skip
    Server.objects.bulk_create(
        [
            Server(
                agent=agent, provider="hetzner", project=project, server_type="cx23",
                location="nbg1", requested_at=now, phase="ready", phase_since=now,
                created_at=now, serving_since=now,
            )
            for agent in agents
        ]
    )  # fmt: skip


@contextmanager
def _pointed_at(at_work: CloudAtWork, speed: float) -> Iterator[None]:
    """Inside, the farm's project is that one, whose bucket fills `speed` times as fast."""
    from django.conf import settings

    from farm.agents.models import RequestBudget
    from farm.agents.projects import project_of
    from farm.agents.request_budgets import budget_of

    usual = settings.HETZNER_TOKEN, settings.HETZNER_ENDPOINT
    settings.HETZNER_TOKEN, settings.HETZNER_ENDPOINT = at_work.cloud.token, at_work.endpoint
    budget_of(project_of("hetzner").pk)
    RequestBudget.objects.update(each_us=round(1_000_000 / speed))
    try:
        yield
    finally:
        settings.HETZNER_TOKEN, settings.HETZNER_ENDPOINT = usual


def _use_up(bucket: Counted, clock: Clock, speed: float) -> None:
    """As if the farm had just sent all that the cloud takes: both know that nothing is left."""
    from django.utils import timezone

    from farm.agents.models import RequestBudget
    from farm.agents.request_budgets import micros_of

    bucket.since, bucket.left, bucket.given = clock.now(), 0.0, 0
    bucket.refused.clear()
    full = micros_of(timezone.now()) + round(3600 * 1_000_000 / speed)
    RequestBudget.objects.update(full_at_us=full)


def _project(at_work: CloudAtWork) -> int:
    return next(iter(at_work.cloud.books.projects)).id


def _on() -> int:
    """How many machines are on; what comes after asks the cloud nothing, and is left out."""
    from farm.agents.models import Server

    Server.objects.filter(phase="booting").update(due_at=None)
    return Server.objects.filter(phase="booting").count()


@contextmanager
def _worker() -> Iterator[None]:
    """The plain loop, with its threads, in this process."""
    from farm.agents.worker import run_worker

    stop = threading.Event()
    thread = threading.Thread(target=run_worker, args=(stop, THREADS))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)


def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.1)


PARTS = {"create": create, "fleet": fleet, "budget": budget, "settled": settled}

if __name__ == "__main__":
    main(sys.argv[1:])
