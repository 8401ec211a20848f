"""Which processes a farm consists of; Procfile says the same for other supervisors."""

from __future__ import annotations

import sys
from pathlib import Path

from farm import settings
from farm.ops.children import Job, farm_argv

WEB_THREADS = 24


def sandbox(state: Path) -> Job:
    """The outside world; it needs time to unmount its guests' disks."""
    relay = f"http://127.0.0.1:{settings.RELAY_PORT}"
    hooks = f"http://127.0.0.1:{settings.PORT}/stripe/webhook"
    leads = ("--relay", relay, "--webhooks", hooks)
    argv = farm_argv("sandbox", "up", "--json", "--state", str(state), *leads)
    return Job("sandbox", argv, stop_seconds=30, ground=True)


def web(port: str) -> Job:
    """The site."""
    options = f"farm.wsgi --bind 127.0.0.1:{port} --worker-class gthread --threads {WEB_THREADS}"
    quiet = "--graceful-timeout 2 --no-control-socket --log-level warning"
    return Job("web", (sys.executable, "-m", "gunicorn", *options.split(), *quiet.split()))


WORKER = Job("worker", farm_argv("worker"), stop_seconds=12)
BEAT = Job("beat", farm_argv("beat"))
RELAY = Job("relay", farm_argv("relay"), stop_seconds=12)
TUNNEL = Job("tunnel", farm_argv("tunnel"))
EDGE = Job("edge", farm_argv("edge"), stop_seconds=12)


def of_a_farm(port: str) -> tuple[Job, ...]:
    """In the order in which they start; they end the other way round."""
    workers = (WORKER, BEAT) if settings.BROKER_URL else (WORKER,)
    return (*workers, RELAY, EDGE if settings.EDGE else TUNNEL, web(port))
