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
    left over for the next one, less than a cent either way. Keys at the payment house are made of
    `uid`. `trouble` is why it waits.
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

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payer", "month"], name="no_month_twice")
        ]

    def __str__(self) -> str:
        return f"{self.payer} {self.month:%Y-%m}"


class BillLine(models.Model):
    """One agent's part of a bill: exact, and as the cents of its item, rounded once, half up."""

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="lines")
    agent_uid = models.CharField(max_length=12, blank=True)
    agent_name = models.CharField(max_length=40, blank=True)
    micros = models.BigIntegerField()
    cents = models.IntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bill", "agent_uid"], name="no_agent_twice")
        ]

    def __str__(self) -> str:
        return f"{self.agent_name or self.agent_uid}: {self.cents}"
