"""What clouds said they charge, and where the farm's books and they disagree."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.driven import Drivable


class CloudInvoice(models.Model):
    """A cloud's invoice that the operator handed in, each file once for each cloud in it.

    `until` is up to when it reaches where it says so; else its months are whole. `verdict` is what
    it told about where a month ends there and how amounts are rounded.
    """

    provider = models.CharField(max_length=20)
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    imported_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3)
    micros = models.BigIntegerField()
    verdict = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "sha256"], name="no_invoice_twice")
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.name}"


class CloudCharge(models.Model):
    """One line of such an invoice: a thing, a kind, a month (its first day), hours where it tells.

    `server_uid` is whose it is, "" for nothing of ours; `micros` are net, known to `step_micros`.
    """

    invoice = models.ForeignKey(CloudInvoice, on_delete=models.CASCADE, related_name="charges")
    line = models.PositiveIntegerField()
    month = models.DateField()
    resource = models.CharField(max_length=200)
    server_uid = models.CharField(max_length=12, blank=True)
    kind = models.CharField(max_length=8, blank=True)
    hours = models.PositiveIntegerField(null=True)
    micros = models.BigIntegerField()
    step_micros = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice", "line"], name="one_charge_each_line")
        ]

    def __str__(self) -> str:
        return f"{self.resource} {self.kind} {self.month:%Y-%m}: {self.micros}"


class Side(models.TextChoices):
    """What the farm's lines were held against."""

    INVENTORY = "lines", _("machines and their prices")
    CLOUD = "cloud", _("the cloud's own charges")
    POSTED = "posted", _("what is posted to the ledger")
    RUNNING = "running", _("running totals of the ledger")


class Difference(models.Model):
    """A place where two books disagree: ours, and what it was held against; net.

    `subject` is a machine's or copy's uid, the cloud's own name of a thing unknown here, or a side
    of the ledger with its day. Found again it is the same row with what is true then; `gone_at` is
    when it was not found any more, and `told_at` when the operator was written to.
    """

    side = models.CharField(max_length=8, choices=Side.choices)
    provider = models.CharField(max_length=20, blank=True)
    subject = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, blank=True)
    month = models.DateField()
    hours = models.BigIntegerField()
    other_hours = models.BigIntegerField(null=True)
    micros = models.BigIntegerField()
    other_micros = models.BigIntegerField()
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["side", "provider", "subject", "kind", "month"],
                condition=models.Q(gone_at=None),
                name="one_difference_each",
            )
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.subject} {self.kind} {self.month:%Y-%m}"


class Reconciliation(Drivable):
    """The farm's one daily look whether the books agree: everything before `read_to` was compared.

    So many machines were, of each month; `waiting` ones were not, as what is known of them is old.
    `trouble` is why a cloud could not be asked.
    """

    read_to = models.DateTimeField(null=True)
    ran_at = models.DateTimeField(null=True)
    compared = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    trouble = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"reconciliation, read to {self.read_to}"
