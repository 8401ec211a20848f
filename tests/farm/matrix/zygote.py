"""A process that has a whole farm in memory and forks real workers from it in milliseconds.

Reads one JSON order per line: {"do": "worker" or a verb, "database", "token", "log"}. Answers
{"pid": N} for a worker, for a verb {"result": ...} once it is done.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.db.models import QuerySet  # noqa: E402
from django.utils import timezone  # noqa: E402

from farm.accounts.models import Door, User  # noqa: E402
from farm.accounts.services import account_of  # noqa: E402
from farm.agents import services  # noqa: E402
from farm.agents.machine_of import machine_of  # noqa: E402
from farm.agents.models import (  # noqa: E402
    Agent,
    ProviderProject,
    Server,
)
from farm.agents.models.rows import Drivable  # noqa: E402
from farm.agents.reconciler.driving import drive_due  # noqa: E402
from farm.agents.reconciler.machines import authority, shell_of  # noqa: E402
from farm.agents.reconciler.metering import ensure_meter, meter  # noqa: E402
from farm.agents.reconciler.projects import ensure_projects  # noqa: E402
from farm.agents.tunnel import run_tunnel  # noqa: E402
from farm.agents.worker import run_worker  # noqa: E402
from farm.ops.worker import Queue, run_celery_worker  # noqa: E402
from tests.farm.matrix.backup_wishes import BACKUP_VERBS  # noqa: E402
from tests.farm.matrix.book_wishes import BOOK_VERBS  # noqa: E402
from tests.farm.matrix.channel_wishes import CHANNEL_VERBS  # noqa: E402
from tests.farm.matrix.machine_wishes import MACHINE_VERBS  # noqa: E402
from tests.farm.matrix.money_wishes import MONEY_VERBS  # noqa: E402
from tests.farm.matrix.pool_wishes import POOL_VERBS, baker  # noqa: E402
from tests.farm.matrix.wallet_wishes import WALLET_VERBS  # noqa: E402

Order = Mapping[str, str]
THREADS = 4
WHAT_CELERY_LOADS = (
    *("celery.bin.celery", "celery.apps.worker", "celery.apps.beat", "celery.worker.components"),
    *("celery.worker.consumer", "celery.concurrency.prefork", "celery.backends.base"),
    *("kombu.transport.redis", "cffi.cparser", "farm.agents.tasks", "farm.urls"),
)
WHAT_CLOUDS_LOAD = ("provisioning.hetzner", "provisioning.scaleway")


def prepare(_order: Order) -> str:
    """A farm with one member, a certificate authority and the cloud's prices."""
    call_command("migrate", verbosity=0, skip_checks=True)
    account_of(user=User.objects.create(email="nadia@example.org"))
    authority()
    ensure_projects(timezone.now())
    ensure_meter(timezone.now())
    while ProviderProject.objects.filter(swept_at=None).exists():
        drive_due(timezone.now())
    if connections["default"].vendor == "sqlite":
        with connections["default"].cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return "ready"


def ask(order: Order) -> str:
    """Ask for an agent; answers its uid."""
    member = User.objects.earliest("pk")
    wish = services.AgentWish(
        name="Ada",
        language="fr",
        region=order.get("region", ""),
        telegram_bot_token=order.get("bot_token", ""),
        backup_uid=order.get("backup", ""),
    )
    agent = services.create_agent(
        actor=member, account=account_of(user=member), door=Door.CLI, wish=wish
    )
    return agent.uid


def delete(order: Order) -> str:
    """Ask for the end of the agent, of that one if there are several."""
    agent = Agent.objects.get(uid=order["uid"]) if "uid" in order else Agent.objects.get()
    services.delete_agent(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def retry(_order: Order) -> str:
    """Ask for another try."""
    agent = Agent.objects.get()
    services.retry_agent(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def say(order: Order) -> str:
    """Queue a message; answers its number."""
    agent = Agent.objects.get()
    message = services.send_message(
        actor=agent.owner, door=Door.CLI, agent=agent, text=order["text"]
    )
    return str(message.pk)


def link(order: Order) -> str:
    """Give the agent a bot."""
    agent = Agent.objects.get()
    services.link_telegram(
        actor=agent.owner, door=Door.CLI, agent=agent, bot_token=order["bot_token"]
    )
    return agent.uid


def expire(_order: Order) -> str:
    """What time does: every lease of the dead runs out."""
    for model in Drivable.__subclasses__():
        QuerySet(model).exclude(lease_until=None).update(lease_until=timezone.now())
    return "expired"


def sweep(_order: Order) -> str:
    """What time does: the next look at the cloud's whole list is due."""
    ProviderProject.objects.update(swept_at=None, due_at=timezone.now())
    return "due"


def swap_key(_order: Order) -> str:
    """As if another machine answered at the server's address."""
    other = authority().public_keys[0]
    Server.objects.update(host_key=other)
    return other


def make_operator(order: Order) -> str:
    """Somebody who runs the farm."""
    return User.objects.create(email=order["email"], is_superuser=True).email


def on_machine(order: Order) -> str:
    """A command as root on the agent's machine; what it said."""
    server = machine_of(Agent.objects.latest("pk"))
    assert server
    with shell_of(server) as shell:
        return shell.run(("sh", "-c", order["command"])).stdout.decode()


def restart(_order: Order) -> str:
    """Ask for a restart."""
    agent = Agent.objects.get()
    services.restart_agent(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def agree(order: Order) -> str:
    """As if the price on the button had been that much an hour."""
    hourly = int(order["hourly"])
    Agent.objects.update(agreed_hourly_micros=hourly, agreed_monthly_micros=hourly * 744)
    return order["hourly"]


def spoil(_order: Order) -> str:
    """An agent that wants what is no more on sale, and that no code expects."""
    Agent.objects.update(plan="nothing")
    return "spoilt"


def run_meter(_order: Order) -> str:
    """One run of the meter beside the workers'; how many hours it looked at."""
    return str(meter(timezone.now()))


VERBS: Mapping[str, Callable[[Order], str]] = {
    **BACKUP_VERBS,
    **BOOK_VERBS,
    **CHANNEL_VERBS,
    **POOL_VERBS,
    **MACHINE_VERBS,
    **MONEY_VERBS,
    **WALLET_VERBS,
    "make_operator": make_operator,
    "on_machine": on_machine,
    "restart": restart,
    "agree": agree,
    "spoil": spoil,
    "prepare": prepare,
    "ask": ask,
    "meter": run_meter,
    "delete": delete,
    "retry": retry,
    "say": say,
    "link": link,
    "expire": expire,
    "sweep": sweep,
    "swap_key": swap_key,
}


def main() -> None:
    """Serve until standard input ends; the workers then end with it."""
    # Whoever kills a worker never waits for it: it must not stay as a zombie.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for name in (*WHAT_CLOUDS_LOAD, *(WHAT_CELERY_LOADS if settings.BROKER_URL else ())):
        import_module(name)
    for line in sys.stdin:
        order: Order = json.loads(line)
        reader, writer = os.pipe()
        if (pid := os.fork()) == 0:
            os.close(reader)
            _child(order, writer)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        sys.stdout.write((said or json.dumps({"pid": pid})) + "\n")
        sys.stdout.flush()


def _child(order: Order, writer: int) -> NoReturn:
    code = 1
    try:
        _enter(order)
        if order["do"] in LASTING:
            os.setsid()
            os.close(writer)
            LASTING[order["do"]](order)
        else:
            # The pipe ends with this process, so that nobody reads the log before it is written.
            os.write(writer, json.dumps({"result": VERBS[order["do"]](order)}).encode())
        code = 0
    except Exception:  # noqa: BLE001 - the forked child's last word goes to its log
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _enter(order: Order) -> None:
    """This child lives in the farm of that database and project."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    connections["default"].settings_dict["NAME"] = order["database"]
    settings.HETZNER_TOKEN = order["token"]
    for name in ("ACCESS_KEY", "SECRET_KEY", "PROJECT_ID"):
        setattr(settings, f"SCALEWAY_{name}", order.get(f"scaleway_{name.lower()}", ""))
    settings.BACKUPS = Path(order["log"]).parent / "backups"
    settings.BROKER_URL = order["broker"]
    settings.CELERY_BROKER_URL = order["broker"]


def _work(_order: Order) -> None:
    if settings.BROKER_URL:
        _end_all_with(os.getppid())
        run_celery_worker(THREADS, Queue.ALL, "--beat")
    else:
        run_worker(_until_told(), THREADS)


def _end_all_with(parent: int) -> None:
    """Celery's worker has processes of its own: all of them go when a test was interrupted."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _lead(order: Order) -> None:
    run_tunnel(int(order["port"]), _until_told())


LASTING: Mapping[str, Callable[[Order], None]] = {
    "worker": _work,
    "tunnel": _lead,
    "baker": baker,
}


def _until_told() -> threading.Event:
    """Set by SIGTERM, and when a test was interrupted, so that no child is left behind."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_end_with, args=(os.getppid(), stop), daemon=True).start()
    return stop


def _end_with(parent: int, stop: threading.Event) -> None:
    while os.getppid() == parent and not stop.wait(1):
        continue
    stop.set()


if __name__ == "__main__":
    Path(settings.FARM_DATA).mkdir(parents=True, exist_ok=True)
    main()
