"""Payers that pay through Stripe: how each stands, what it paid, what is set aside, its papers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import new_uid
from farm.driven import Drivable


class Stage(models.TextChoices):
    """How far a payer's money reaches, from enough to none; each step back is paid for."""

    FINE = "fine", _("enough")
    WEEK = "week", _("a week left")
    DAYS = "days", _("three days left")
    DAY = "day", _("a day left")
    DRY = "dry", _("its agents sleep for want of money")
    LAST = "last", _("told for the last time that its agents will be deleted")
    OVER = "over", _("its agents are deleted")


class Customer(Drivable):
    """A payer of kind `wallet` or `invoice`, as the payment house knows it; a worker drives it.

    `reference` is the house's id, "" until one is needed. The card is what is charged while nobody
    looks. `automatic_cents` is what is then topped up, net; 0: never. `vat_status` is what the tax
    office says of the VAT id. `frozen_at`: it may spend nothing more until somebody unfreezes it,
    and loses nothing. `trouble` is why a step waits.
    """

    payer = models.OneToOneField("billing.Payer", on_delete=models.PROTECT, related_name="customer")
    reference = models.CharField(max_length=255, blank=True)
    email = models.EmailField()
    country = models.CharField(max_length=2, blank=True)
    card = models.CharField(max_length=255, blank=True)
    card_name = models.CharField(max_length=60, blank=True)
    card_at = models.DateTimeField(null=True)
    vat_reference = models.CharField(max_length=255, blank=True)
    vat_id = models.CharField(max_length=40, blank=True)
    vat_status = models.CharField(max_length=20, blank=True)
    automatic_cents = models.PositiveIntegerField(default=0)
    stage = models.CharField(max_length=5, choices=Stage.choices, default=Stage.FINE)
    stage_at = models.DateTimeField()
    dry_since = models.DateTimeField(null=True)
    first_paid_at = models.DateTimeField(null=True)
    frozen_at = models.DateTimeField(null=True)
    frozen_why = models.CharField(max_length=200, blank=True)
    trouble = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reference"],
                condition=~models.Q(reference=""),
                name="one_payer_per_customer",
            )
        ]

    def __str__(self) -> str:
        return f"{self.payer} at Stripe"


class TopUp(Drivable):
    """Money that somebody wants to pay in, or that is charged from the kept card (`automatic`).

    Net cents; VAT comes on top. Exactly-once is by `uid`: it is in every key and in all metadata.
    `url` is the hosted page, or the one on which a bank's question is answered. `card` is the kept
    card that is charged, `problem` the bank's short word, `trouble` why a step waits.
    """

    class State(models.TextChoices):
        """Where it is on its way."""

        ASKED = "asked", _("asked for")
        OPEN = "open", _("waiting for the payment")
        PAID = "paid", _("paid")
        FAILED = "failed", _("not paid")
        OVER = "over", _("given up")

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="top_ups")
    cents = models.PositiveIntegerField()
    tax_cents = models.PositiveIntegerField(default=0)
    automatic = models.BooleanField(default=False)
    state = models.CharField(max_length=6, choices=State.choices, default=State.ASKED)
    checkout = models.CharField(max_length=255, blank=True)
    invoice = models.CharField(max_length=255, blank=True)
    payment = models.CharField(max_length=255, blank=True)
    card = models.CharField(max_length=255, blank=True)
    url = models.TextField(blank=True)
    problem = models.CharField(max_length=60, blank=True)
    trouble = models.CharField(max_length=200, blank=True)
    asked_by = models.EmailField(blank=True)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=models.Q(automatic=True, state__in=("asked", "open")),
                name="one_automatic_top_up",
            )
        ]

    def __str__(self) -> str:
        return f"{self.cents} cents for {self.customer.payer}"


class Refund(Drivable):
    """Money of a top-up that goes back to where it came from, with its VAT; a worker drives it.

    Gross cents. Exactly-once is by `uid`; `note` is the credit note of it, `reference` the way of
    the money. `trouble` is why it waits, or was refused.
    """

    class State(models.TextChoices):
        """Where it is on its way."""

        ASKED = "asked", _("asked for")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    top_up = models.ForeignKey(TopUp, on_delete=models.PROTECT, related_name="refunds")
    cents = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=7, choices=State.choices, default=State.ASKED)
    note = models.CharField(max_length=255, blank=True)
    reference = models.CharField(max_length=255, blank=True)
    asked_by = models.EmailField(blank=True)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.cents} cents of {self.top_up} back"


class Hold(models.Model):
    """What of a wallet is set aside for an agent: until it surely sleeps, and its full grace.

    Micro-euros, net. `slept_at`: the farm put it to sleep because the money was out, and wakes it
    once there is some. A released one stays as a memory.
    """

    payer = models.ForeignKey("billing.Payer", on_delete=models.PROTECT, related_name="holds")
    agent_uid = models.CharField(max_length=12)
    run_micros = models.BigIntegerField()
    grace_micros = models.BigIntegerField()
    since = models.DateTimeField()
    slept_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agent_uid"],
                condition=models.Q(released_at__isnull=True),
                name="one_hold_per_agent",
            ),
            models.CheckConstraint(
                condition=models.Q(run_micros__gte=0, grace_micros__gte=0),
                name="a_hold_is_of_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_micros + self.grace_micros} for {self.agent_uid}"


class Dispute(models.Model):
    """A payment that its bank called into question; while it is open its payer loses nothing."""

    reference = models.CharField(max_length=255, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="disputes")
    cents = models.PositiveIntegerField()
    fee_cents = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=40)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.reference}: {self.status}"


class Paper(models.Model):
    """A document that the payment house made for a payer: an invoice or a credit note; cents.

    `payment` is the one that paid an invoice, by which what becomes of it later is understood.
    """

    class Sort(models.TextChoices):
        """What it is."""

        INVOICE = "invoice", _("invoice")
        CREDIT = "credit", _("credit note")

    reference = models.CharField(max_length=255, unique=True)
    payment = models.CharField(max_length=255, blank=True, db_index=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="papers")
    sort = models.CharField(max_length=7, choices=Sort.choices)
    number = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=40)
    net_cents = models.IntegerField()
    tax_cents = models.IntegerField()
    total_cents = models.IntegerField()
    page = models.TextField(blank=True)
    pdf = models.TextField(blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.sort} {self.number or self.reference}"
