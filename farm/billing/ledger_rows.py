"""The ledger's rows: accounts with a running total, and transfers that nobody changes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

BEFORE = ":before"
"""So ends the source of what is forgiven of months that were never to be billed."""


class Book(models.TextChoices):
    """What an account of the ledger is about."""

    PAYER = "payer", _("what a payer owes")
    MACHINES = "machines", _("machines, charged on")
    AI = "ai", _("AI, charged on")
    COST = "cost", _("what machines cost the farm")
    CLOUDS = "clouds", _("what the clouds are owed")
    HOUSE = "house", _("money at the payment house")
    VAT = "vat", _("VAT that was paid with it")
    KEPT = "kept", _("what the payment house keeps")
    FEE = "fee", _("the farm's fee, charged on")
    CORRECTED = "corrected", _("corrections by hand")


class LedgerAccount(models.Model):
    """One account in one currency; a payer has its own, of any other book there is one.

    `balance_micros` is what was debited less what was credited, kept in the transaction of each
    transfer: `ledger.unequal` holds it against their sum.
    """

    book = models.CharField(max_length=9, choices=Book.choices)
    payer = models.ForeignKey(
        "billing.Payer", null=True, on_delete=models.PROTECT, related_name="ledger_accounts"
    )
    currency = models.CharField(max_length=3)
    balance_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["payer", "currency"],
                condition=models.Q(payer__isnull=False),
                name="one_account_of_payer",
            ),
            models.UniqueConstraint(
                fields=["book", "currency"],
                condition=models.Q(payer__isnull=True),
                name="one_account_of_book",
            ),
            models.CheckConstraint(
                condition=models.Q(book=Book.PAYER, payer__isnull=False)
                | (~models.Q(book=Book.PAYER) & models.Q(payer__isnull=True)),
                name="payers_are_named",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payer or self.book} {self.currency}"


class Transfer(models.Model):
    """So much from one account to another: zero-sum by its shape; net, in millionths.

    It is about one `day` of UTC. What becomes known of a day after it was posted is the next
    `number`, and a correction is one too, from `credit` to `debit` the other way round. One that
    something else than use is the cause of says so once, in `source` ("topup:<uid>:net"), and in
    `reason` if a person did it. The database lets nobody change or delete one.
    """

    debit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="credits")
    amount_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    day = models.DateField()
    number = models.PositiveIntegerField()
    at = models.DateTimeField(db_index=True)
    source = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["debit", "credit", "day", "number"], name="no_day_twice"
            ),
            models.UniqueConstraint(
                fields=["source"], condition=~models.Q(source=""), name="no_source_twice"
            ),
            models.CheckConstraint(
                condition=models.Q(amount_micros__gt=0), name="a_transfer_is_of_something"
            ),
            models.CheckConstraint(
                condition=~models.Q(debit=models.F("credit")), name="a_transfer_has_two_sides"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["day"], name="transfer_of_day")]

    def __str__(self) -> str:
        return f"{self.day:%F} {self.credit} -> {self.debit}: {self.amount_micros}"


class LateMonth(models.Model):
    """A month long over of which lines were to be written at `noted_at`: it is posted once more."""

    month = models.DateField(unique=True)
    noted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}, late at {self.noted_at}"
