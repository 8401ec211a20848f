"""What Celery's workers do: look for what is due, and take one step of one row.

A task takes ids and holds no state; the claim on the row decides. A task that is lost, late or
doubled changes nothing but the time it takes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from celery import signals
from celery.worker import WorkController
from django.conf import settings
from django.db import Error, close_old_connections, connections
from django.utils import timezone

from farm.agents.beats import TICK, beat, beat_until
from farm.agents.reconciler.driving import Job, Renewable, due_jobs, job_of
from farm.agents.worker import prepare
from farm.bell import LOOK, LOOK_EXPIRES
from farm.celery import app

logger = logging.getLogger(__name__)
STEPS, LONG = "steps", "long"
TAKE_EXPIRES = 30.0
"""Seconds; longer than looks last: they must not pile up before the steps that they asked for."""


@app.task(name="farm.tick", time_limit=60, soft_time_limit=50)
def tick() -> None:
    """What the beat sends every few seconds."""
    beat(TICK, timezone.now())
    look()


@app.task(name=LOOK, expires=LOOK_EXPIRES, time_limit=60, soft_time_limit=50)
def look() -> None:
    """Send for as much of what is due as can be begun now; the end of each step looks again."""
    due = due_jobs(timezone.now())
    for job in _first_of(due, long=False):
        take.apply_async(job.key, queue=STEPS)
    for job in _first_of(due, long=True):
        take_long.apply_async(job.key, queue=LONG)


@app.task(
    name="farm.take",
    expires=TAKE_EXPIRES,
    time_limit=settings.STEP_SECONDS,
    soft_time_limit=settings.STEP_SECONDS - 30,
)
def take(sort: str, pk: int) -> None:
    """One step of one row, unless somebody else has it."""
    _take(sort, pk)


@app.task(
    name="farm.take_long",
    expires=TAKE_EXPIRES,
    time_limit=settings.LONG_SECONDS,
    soft_time_limit=settings.LONG_SECONDS - 30,
)
def take_long(sort: str, pk: int) -> None:
    """The same for what may take minutes."""
    _take(sort, pk)


def _take(sort: str, pk: int) -> None:
    try:
        with _renewing() as seen:
            taken = job_of(sort, pk).work(seen)
        if taken:
            # Here and now: what this step rang for does not wait behind other messages.
            look()
    except Error:
        # The row stays claimed until its lease ends: nothing is lost but a little time.
        logger.exception("The database failed during %s %s.", sort, pk)


def _first_of(jobs: Sequence[Job], *, long: bool) -> Sequence[Job]:
    return [job for job in jobs if job.long == long][: settings.WORKER_THREADS]


@contextmanager
def _renewing() -> Iterator[Callable[[Renewable], None]]:
    """Keep the lease of the claim that is told of, for as long as the step takes."""
    ended = threading.Event()

    def keep(claim: Renewable) -> None:
        threading.Thread(target=_renew, args=(claim, ended), daemon=True).start()

    try:
        yield keep
    finally:
        ended.set()


def _renew(claim: Renewable, ended: threading.Event) -> None:
    while not ended.wait(settings.LEASE_SECONDS / 3):
        try:
            close_old_connections()
            claim.renew()
        except Error:
            logger.exception("The database did not take the renewal of a lease.")
    connections.close_all()


@signals.worker_ready.connect
def say_that_it_lives(sender: WorkController, **_: object) -> None:
    """A worker's own process says so for as long as it runs."""
    queues = ",".join(sorted(sender.app.amqp.queues.consume_from))
    part = queues if queues in (STEPS, LONG) else f"{STEPS},{LONG}"
    forever = threading.Event()
    threading.Thread(target=_live, args=(forever, part), daemon=True).start()


def _live(forever: threading.Event, part: str) -> None:
    prepare(forever)
    beat_until(forever, part)
