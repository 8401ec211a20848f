"""Signs of life: what works for the farm says so, and the doctor and the operator read it."""

from __future__ import annotations

import logging
import os
import socket
import threading
from datetime import datetime, timedelta

from django.db import Error, close_old_connections, connections
from django.utils import timezone

from farm.agents.models import WorkerBeat

logger = logging.getLogger(__name__)
BEAT_EVERY = 5.0
FORGOTTEN = timedelta(days=1)


TICK = "tick"
"""The one sign that is of no process: Celery's beat was heard."""


def this_process(part: str) -> str:
    """How it signs; `part` is loop, steps, long or both of the latter."""
    return f"{part} {socket.gethostname()[:50]}:{os.getpid()}"


def beat(worker: str, now: datetime) -> None:
    """Say that it lives; who has not for a day is forgotten."""
    WorkerBeat.objects.update_or_create(worker=worker, defaults={"at": now})
    WorkerBeat.objects.filter(at__lt=now - FORGOTTEN).delete()


def beat_until(stop: threading.Event, part: str) -> None:
    """Go on saying so until `stop` is set, whatever becomes of the database meanwhile."""
    while True:
        try:
            close_old_connections()
            beat(this_process(part), timezone.now())
        except Error:
            logger.exception("The database did not take the sign of life.")
        finally:
            # A process forked from this one must find no connection of ours.
            connections.close_all()
        if stop.wait(BEAT_EVERY):
            return
