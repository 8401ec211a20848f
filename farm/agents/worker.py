"""The worker: a plain loop that looks for due rows and hands each to a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error, close_old_connections, connections
from django.utils import timezone

from farm.agents.beats import BEAT_EVERY, beat, this_process
from farm.agents.reconciler.backup_rounds import ensure_backup_round
from farm.agents.reconciler.bill_rounds import ensure_bill_round
from farm.agents.reconciler.customers import ensure_customers
from farm.agents.reconciler.driving import Job, Renewable, drive_due, due_jobs
from farm.agents.reconciler.edges import ensure_edge_rounds
from farm.agents.reconciler.metering import ensure_meter
from farm.agents.reconciler.projects import ensure_projects
from farm.agents.reconciler.reconciliations import ensure_reconciliation
from farm.billing.stripe_events import ensure_stripe_round

__all__ = ["drive_due", "prepare", "run_worker"]

logger = logging.getLogger(__name__)
LOOK_EVERY = 0.25
LAST_STEPS = 8.0
"""Seconds that steps under way have when the worker is told to end."""


@dataclass(slots=True)
class Lane:
    """At most `places` jobs at a time, each in a thread that does not outlive the process."""

    places: int
    busy: set[tuple[str, int]] = field(default_factory=set)
    held: dict[tuple[str, int], Renewable] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def offer(self, job: Job, done: Callable[[], None]) -> None:
        """Start the job unless it is under way here already or every place is taken."""
        with self.lock:
            if job.key in self.busy or len(self.busy) >= self.places:
                return
            self.busy.add(job.key)
        name = f"{job.key[0]}-{job.key[1]}"
        threading.Thread(target=self._run, args=(job, done), name=name, daemon=True).start()

    def renew(self) -> None:
        """Prolong every lease held here."""
        for claim in self._claims():
            claim.renew()

    def release(self) -> None:
        """Give back what did not end in time; whatever its thread still learns is not written."""
        for claim in self._claims():
            claim.release()

    def _run(self, job: Job, done: Callable[[], None]) -> None:
        try:
            close_old_connections()
            job.work(lambda claim: self._hold(job, claim))
        except Error:
            # The row stays claimed until its lease ends: nothing is lost but a little time.
            logger.exception("The database failed during %s %s.", *job.key)
        finally:
            connections.close_all()
            with self.lock:
                self.busy.discard(job.key)
                self.held.pop(job.key, None)
            done()

    def _hold(self, job: Job, claim: Renewable) -> None:
        with self.lock:
            self.held[job.key] = claim

    def _claims(self) -> list[Renewable]:
        with self.lock:
            return list(self.held.values())


def run_worker(stop: threading.Event, threads: int) -> None:
    """Drive everything that is due until `stop` is set; returns within seconds of that.

    `threads` bounds the steps under way; turns of conversations, which may take minutes, have as
    many places of their own.
    """
    steps, turns = Lane(threads), Lane(threads)
    wake = threading.Event()
    keeper = threading.Thread(target=_keep_leases, args=(stop, steps, turns), daemon=True)
    keeper.start()
    prepare(stop)
    while not stop.is_set():
        _look(steps, turns, wake)
        wake.wait(LOOK_EVERY)
        wake.clear()
    _end(steps, turns)


def prepare(stop: threading.Event) -> None:
    """Make the rows of what is done again and again, as soon as the database takes them."""
    while not stop.is_set():
        try:
            ensure_projects(timezone.now())
            ensure_meter(timezone.now())
            ensure_edge_rounds(timezone.now())
            ensure_backup_round(timezone.now())
            ensure_reconciliation(timezone.now())
            ensure_customers(timezone.now())
            if settings.STRIPE_SECRET_KEY:
                ensure_stripe_round(timezone.now())
                ensure_bill_round(timezone.now())
        except Error:
            logger.exception("The database is not ready; looking again.")
            stop.wait(1)
        else:
            return


def _look(steps: Lane, turns: Lane, wake: threading.Event) -> None:
    try:
        close_old_connections()
        for job in due_jobs(timezone.now()):
            (turns if job.long else steps).offer(job, wake.set)
    except Error:
        logger.exception("The database did not say what is due; looking again.")


def _keep_leases(stop: threading.Event, *lanes: Lane) -> None:
    """A step that takes long is still ours as long as this process lives."""
    every = min(BEAT_EVERY, settings.LEASE_SECONDS / 3)
    beaten: datetime | None = None
    while not stop.wait(every if beaten else 0):
        try:
            close_old_connections()
            for lane in lanes:
                lane.renew()
            now = timezone.now()
            if beaten is None or now - beaten >= timedelta(seconds=BEAT_EVERY):
                beat(this_process("loop"), now)
                beaten = now
        except Error:
            logger.exception("The database did not take the renewal of leases.")


def _end(*lanes: Lane) -> None:
    """Let steps under way end; what does not end in time is left for whoever comes next."""
    deadline = timezone.now() + timedelta(seconds=LAST_STEPS)
    pause = threading.Event()
    while any(lane.busy for lane in lanes) and timezone.now() < deadline:
        pause.wait(0.05)
    for lane in lanes:
        lane.release()
    connections.close_all()
