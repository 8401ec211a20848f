"""What is due, who takes it, and how one step of any row is begun and ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, Protocol

from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models import Q, QuerySet
from django.utils import timezone

from farm.agents.models import (
    Agent,
    Backup,
    BackupRound,
    DiskCopy,
    EdgeRound,
    Message,
    Meter,
    Pool,
    PooledServer,
    ProviderProject,
    Schedule,
    Server,
    SlackLink,
    TelegramLink,
    TelegramManager,
    Watch,
    WhatsAppLink,
)
from farm.agents.reconciler import backups
from farm.agents.reconciler.agents import drive_agent
from farm.agents.reconciler.backup_rounds import after_round_trouble, drive_round
from farm.agents.reconciler.bill_rounds import drive_bill_round
from farm.agents.reconciler.bills import drive_bill, drive_bill_credit, unpaid
from farm.agents.reconciler.claims import Claim, LeaseLost, Row, claim, free_and_due
from farm.agents.reconciler.copies import after_copy_trouble, drive_copy
from farm.agents.reconciler.customers import drive_customer
from farm.agents.reconciler.edges import after_edge_trouble, drive_edge_round
from farm.agents.reconciler.managers import drive_manager
from farm.agents.reconciler.messages import drive_message, its_turn
from farm.agents.reconciler.metering import drive_meter
from farm.agents.reconciler.plugins import after_link_trouble
from farm.agents.reconciler.pool_warming import after_pooled_trouble, drive_pooled
from farm.agents.reconciler.pools import drive_pool
from farm.agents.reconciler.projects import drive_project
from farm.agents.reconciler.reconciliations import drive_reconciliation
from farm.agents.reconciler.refunds import asked_for, drive_refund
from farm.agents.reconciler.schedules import drive_schedule, of_living
from farm.agents.reconciler.servers import drive_server
from farm.agents.reconciler.slacks import drive_slack
from farm.agents.reconciler.stripe_events import drive_stripe_event, drive_stripe_round
from farm.agents.reconciler.telegrams import drive_telegram
from farm.agents.reconciler.top_ups import drive_top_up, under_way
from farm.agents.reconciler.troubles import (
    Nap,
    after_agent_trouble,
    after_crash,
    after_server_trouble,
)
from farm.agents.reconciler.watches import drive_watch, watched
from farm.agents.reconciler.whatsapps import drive_whatsapp
from farm.billing.bill_rows import Bill, BillCredit, BillRound
from farm.billing.customer_rows import Customer, Refund, TopUp
from farm.billing.reconciliation_rows import Reconciliation
from farm.billing.stripe_rows import StripeEvent, StripeRound
from provisioning.errors import ProvisioningError

logger = logging.getLogger(__name__)
DATABASE_PAUSE = timedelta(seconds=1)
AT_MOST = 200
"""Rows read in one look; the rest is seen a moment later."""


class Renewable(Protocol):
    """A claim, whatever its row."""

    def renew(self) -> bool:
        """Prolong the lease; False if it is no longer ours."""

    def release(self) -> None:
        """Let others take the row at once."""


@dataclass(frozen=True, slots=True)
class Job:
    """A row that was due when it was looked for; `work` claims it first."""

    key: tuple[str, int]
    due_at: datetime
    long: bool
    work: Callable[[Callable[[Renewable], None]], bool]


class Driven(Protocol):
    """A sort, whatever its rows are."""

    @property
    def name(self) -> str:
        """What messages of the queue call it."""

    def jobs(self, now: datetime) -> Iterator[Job]:
        """Its rows that are due."""

    def job(self, pk: int, due_at: datetime) -> Job:
        """One row of it."""


@dataclass(frozen=True, slots=True)
class Sort(Generic[Row]):
    """One sort of rows: how a step is taken, and what its errors mean.

    A turn of a conversation may take minutes (`long`); every other step takes seconds.
    """

    model: type[Row]
    step: Callable[[Claim[Row]], Nap]
    trouble: Callable[[Claim[Row], ProvisioningError], Nap]
    condition: Callable[[], Q] = Q
    long: bool = False

    def due(self, now: datetime) -> QuerySet[Row]:
        """Rows that somebody should drive, the longest due first."""
        rows: QuerySet[Row] = QuerySet(self.model).filter(self.condition(), free_and_due(now))
        return rows.order_by("due_at")

    @property
    def name(self) -> str:
        """What messages of the queue call it."""
        return self.model.__name__

    def jobs(self, now: datetime) -> Iterator[Job]:
        """Its rows that are due."""
        for row in self.due(now).only("pk", "due_at")[:AT_MOST]:
            yield self.job(row.pk, row.due_at or now)

    def job(self, pk: int, due_at: datetime) -> Job:
        """One row of it."""
        return Job((self.name, pk), due_at, self.long, partial(self.work, pk))

    def work(self, pk: int, seen: Callable[[Renewable], None]) -> bool:
        """Claim one row, take its step and write down when it is due next; False if it is taken.

        `seen` is told of the claim before the step, so that its lease can be renewed.
        """
        claimed = claim(self.model, pk, timezone.now(), self.condition())
        if claimed is None:
            return False
        seen(claimed)
        try:
            nap = self._take(claimed)
            claimed.close(None if nap is None else timezone.now() + nap)
        except LeaseLost:
            logger.warning("%s was taken over by another worker.", claimed.row)
        return True

    def _take(self, claimed: Claim[Row]) -> Nap:
        """The step, with every error turned into a wait: one bad row cannot stop the loop."""
        try:
            return self.step(claimed)
        except LeaseLost:
            raise
        except (OperationalError, InterfaceError):
            # Postgres restarted, or took us out of a deadlock: the row is not to blame.
            logger.exception("The database left %s in the middle of a step.", claimed.row)
            close_old_connections()
            return DATABASE_PAUSE
        except ProvisioningError as error:
            return self.trouble(claimed, error)
        except Exception as error:  # noqa: BLE001 - a poison row must not stop the others
            return after_crash(claimed, error)


SERVERS = Sort(Server, drive_server, after_server_trouble)
COPIES = Sort(DiskCopy, drive_copy, after_copy_trouble)
AGENTS = Sort(Agent, drive_agent, after_agent_trouble)
MESSAGES = Sort(Message, drive_message, after_crash, its_turn, long=True)
TELEGRAMS = Sort(TelegramLink, drive_telegram, after_crash)
MANAGERS = Sort(TelegramManager, drive_manager, after_crash)
SLACKS = Sort(SlackLink, drive_slack, after_link_trouble)
WHATSAPPS = Sort(WhatsAppLink, drive_whatsapp, after_link_trouble, long=True)
WATCHES = Sort(Watch, drive_watch, after_crash, watched)
PROJECTS = Sort(ProviderProject, drive_project, after_crash)
METERS = Sort(Meter, drive_meter, after_crash)
BACKUPS = Sort(
    Backup, backups.drive_backup, backups.after_backup_trouble, backups.its_turn, long=True
)
EDGES = Sort(EdgeRound, drive_edge_round, after_edge_trouble)
POOLS = Sort(Pool, drive_pool, after_crash)
POOLED = Sort(PooledServer, drive_pooled, after_pooled_trouble, long=True)
ROUNDS = Sort(BackupRound, drive_round, after_round_trouble)
STRIPE_EVENTS = Sort(StripeEvent, drive_stripe_event, after_crash)
STRIPE_ROUNDS = Sort(StripeRound, drive_stripe_round, after_crash, long=True)
BILLS = Sort(Bill, drive_bill, after_crash, unpaid)
BILL_CREDITS = Sort(BillCredit, drive_bill_credit, after_crash)
TOP_UPS = Sort(TopUp, drive_top_up, after_crash, under_way)
REFUNDS = Sort(Refund, drive_refund, after_crash, asked_for)
BILL_ROUNDS = Sort(BillRound, drive_bill_round, after_crash, long=True)
CUSTOMERS = Sort(Customer, drive_customer, after_crash)
SCHEDULES = Sort(Schedule, drive_schedule, after_crash, of_living)
RECONCILIATIONS = Sort(Reconciliation, drive_reconciliation, after_crash, long=True)

SORTS: Sequence[Driven] = (
    SERVERS,
    COPIES,
    AGENTS,
    MESSAGES,
    TELEGRAMS,
    MANAGERS,
    SLACKS,
    WHATSAPPS,
    WATCHES,
    PROJECTS,
    METERS,
    RECONCILIATIONS,
    STRIPE_EVENTS,
    STRIPE_ROUNDS,
    CUSTOMERS,
    BILLS,
    BILL_CREDITS,
    BILL_ROUNDS,
    TOP_UPS,
    REFUNDS,
    BACKUPS,
    ROUNDS,
    SCHEDULES,
    EDGES,
    POOLS,
    POOLED,
)


def due_jobs(now: datetime) -> Sequence[Job]:
    """Everything due, the longest due first: many slow rows of one sort do not starve another."""
    jobs = [job for sort in SORTS for job in sort.jobs(now)]
    return sorted(jobs, key=lambda job: job.due_at)


def job_of(name: str, pk: int) -> Job:
    """The job that a message of the queue means; KeyError for a sort that is no more."""
    return {sort.name: sort for sort in SORTS}[name].job(pk, timezone.now())


def drive_due(now: datetime) -> int:
    """Take one step of every row that is due, one after the other; how many were taken."""
    return sum(job.work(lambda _: None) for job in due_jobs(now))
