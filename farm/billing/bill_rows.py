"""Bills of trusted payers: one for each payer and month, with a line for each agent."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import new_uid
from farm.driven import Drivable


class Bill(Drivable):
    """A closed month of one payer, on its way to be paid; a worker drives it.

    `net_micros` is what the ledger says is owed for it; `carried_micros` what rounding to cents
    left over for the next one, less than a cent either way; of one with nothing to pay, all of it.
    Keys at the payment house are made of `uid`. A card is tried `tries` times, the last one was
    `tried_card`; after the last the bill is overdue, as is one that nobody has paid by
    `payable_until`: since `overdue_at`, when the house was asked. `problem` is the bank's short
    word, `trouble` why a step waits.
    """

    class State(models.TextChoices):
        """Where it is on its way."""

        CLOSED = "closed", _("closed, not yet sent")
        NOTHING = "nothing", _("nothing to pay")
        OPEN = "open", _("waiting for the payment")
        PAID = "paid", _("paid")
        VOID = "void", _("taken back")

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    payer = models.ForeignKey("billing.Payer", on_delete=models.PROTECT, related_name="bills")
    month = models.DateField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.CLOSED)
    currency = models.CharField(max_length=3)
    net_micros = models.BigIntegerField()
    carried_micros = models.BigIntegerField(default=0)
    net_cents = models.IntegerField()
    tax_cents = models.IntegerField(default=0)
    paid_cents = models.IntegerField(default=0)
    invoice = models.CharField(max_length=255, blank=True)
    number = models.CharField(max_length=80, blank=True)
    page = models.TextField(blank=True)
    problem = models.CharField(max_length=60, blank=True)
    trouble = models.CharField(max_length=200, blank=True)
    closed_at = models.DateTimeField()
    payable_until = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    tried_card = models.CharField(max_length=255, blank=True)
    tried_at = models.DateTimeField(null=True)
    overdue_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payer", "month"], name="no_month_twice")
        ]

    def __str__(self) -> str:
        return f"{self.payer} {self.month:%Y-%m}"


class BillLine(models.Model):
    """One agent's part of a bill: exact, and as the cents of its item, rounded once, half up.

    `month` is the bill's own, or the one before for what became known after that was closed. The
    line of no agent is what was brought over: rounding, corrections, money paid in advance; its
    cents make the sum exact.
    """

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="lines")
    month = models.DateField()
    agent_uid = models.CharField(max_length=12, blank=True)
    agent_name = models.CharField(max_length=40, blank=True)
    machine_micros = models.BigIntegerField(default=0)
    ai_micros = models.BigIntegerField(default=0)
    fee_micros = models.BigIntegerField(default=0)
    micros = models.BigIntegerField()
    cents = models.IntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bill", "agent_uid", "month"], name="no_part_twice")
        ]

    def __str__(self) -> str:
        return f"{self.agent_name or self.agent_uid}: {self.cents}"


class BillCredit(Drivable):
    """A part of a bill that the operator takes back, for a reason; a worker sees it through.

    `cents` are with VAT, as on the bill; net and VAT are the payment house's. Of a paid bill the
    money goes to where it came from (`refund`). Exactly-once is by `uid`.
    """

    class State(models.TextChoices):
        """Where it is on its way."""

        ASKED = "asked", _("asked for")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="credits")
    cents = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=7, choices=State.choices, default=State.ASKED)
    note = models.CharField(max_length=255, blank=True)
    refund = models.CharField(max_length=255, blank=True)
    net_cents = models.PositiveIntegerField(default=0)
    asked_by = models.EmailField(blank=True)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.cents} cents of {self.bill}"


class BillRound(Drivable):
    """The farm's one row that has months closed; `closed_to` is the last that is."""

    closed_to = models.DateField(null=True)
    trouble = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"Bills, closed to {self.closed_to}"
