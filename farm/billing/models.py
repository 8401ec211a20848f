"""Who pays, what each server costs, and what was used: dated rows that nobody rewrites."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, new_uid
from farm.billing.ai_rows import AiCall, AiDay, AiMonth  # noqa: F401  (Django looks here)
from farm.billing.bill_rows import (  # noqa: F401  (and here)
    Bill,
    BillCredit,
    BillLine,
    BillRound,
)
from farm.billing.customer_rows import (  # noqa: F401  (and here)
    Customer,
    Dispute,
    Hold,
    Paper,
    Refund,
    Stage,
    TopUp,
)
from farm.billing.ledger_rows import LateMonth, LedgerAccount, Transfer  # noqa: F401  (and here)
from farm.billing.price_change_rows import PriceChange  # noqa: F401  (and here)
from farm.billing.reconciliation_rows import (  # noqa: F401  (and here)
    CloudCharge,
    CloudInvoice,
    Difference,
    Reconciliation,
)
from farm.billing.stripe_rows import StripeEvent, StripeRound  # noqa: F401  (and here)


class Payer(models.Model):
    """Who a line is charged to, within an account.

    `internal`: a statement, nothing collected. `wallet`: paid for in advance. `invoice`: a trusted
    one, billed once a month. The latter two have a Customer.
    """

    class Kind(models.TextChoices):
        """What is collected, and how."""

        INTERNAL = "internal", _("paid inside the company")
        WALLET = "wallet", _("paid in advance")
        INVOICE = "invoice", _("billed by the month")

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payers")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.INTERNAL)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(is_default=True),
                name="one_default_payer",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.account})"


class Assignment(models.Model):
    """Hours of this agent that begin from `valid_from` on are charged to this payer.

    The person is whom the agent is for; the address is kept beside it, as lines outlive people.
    `monthly_micros` is what the agent may cost in a calendar month at most, until `ended_at`, when
    it is gone for good: both are what a limit counts with.
    """

    agent_uid = models.CharField(max_length=12)
    agent_name = models.CharField(max_length=40)
    payer = models.ForeignKey(Payer, on_delete=models.PROTECT, related_name="assignments")
    cost_centre = models.CharField(max_length=40, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    person_email = models.EmailField()
    valid_from = models.DateTimeField()
    monthly_micros = models.BigIntegerField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agent_uid", "valid_from"], name="one_payer_per_hour")
        ]

    def __str__(self) -> str:
        return f"{self.agent_uid} to {self.payer} from {self.valid_from:%F %H:%M}"


class Limit(models.Model):
    """What a payer lets one person's agents cost in a month at most; refused in advance.

    Without a person: what all its agents may cost it together.
    """

    payer = models.ForeignKey(Payer, on_delete=models.CASCADE, related_name="limits")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    monthly_micros = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payer", "person"], name="one_limit_each"),
            models.UniqueConstraint(
                fields=["payer"],
                condition=models.Q(person__isnull=True),
                name="one_limit_for_all",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.monthly_micros} a month from {self.payer}"


class Kind(models.TextChoices):
    """What a price is for; each is a line of its own."""

    SERVER = "server", _("machine")
    IPV4 = "ipv4", _("IPv4 address")
    VOLUME = "volume", _("disk")
    SNAPSHOT = "snapshot", _("copy of a sleeping disk")
    TRAFFIC = "traffic", _("traffic beyond what is included")
    BACKUP = "backup", _("the cloud's own backups")
    FEE = "fee", _("the farm's fee")


class PriceRow(models.Model):
    """What one kind costs for one server from a date on, net, in micro-units of `currency`.

    Pinned when the server is asked for or becomes another type: today's catalogue never re-prices a
    server that exists. A server, or the copy of a disk, is known by its uid, without a foreign key,
    and the row outlives it. With `counts_anew` its cloud begins with this row to count hours, and
    what is left of the month, as for another server.
    """

    server_uid = models.CharField(max_length=12)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    valid_from = models.DateTimeField()
    hourly_micros = models.BigIntegerField()
    monthly_micros = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    counts_anew = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["server_uid", "kind", "valid_from"], name="one_price_per_date"
            )
        ]

    def __str__(self) -> str:
        return f"{self.server_uid} {self.kind}: {self.hourly_micros}/h from {self.valid_from:%F}"


class Cause(models.TextChoices):
    """Why what a cloud charges is, in whole or in part, the farm's own cost."""

    BEFORE = "before", _("before the agent answered there")
    OVERLAP = "overlap", _("while another machine was made ready to take over")
    POOL = "pool", _("while it was kept ready for whoever comes next")
    LEAVING = "leaving", _("while the machine was being removed")
    OVER_CAP = "over_cap", _("beyond what an agent may cost in a month")
    NOBODY = "nobody", _("for no agent")


class UsageLine(models.Model):
    """One server, one started hour counted from its creation at the cloud, one kind, one price.

    `cloud_micros` is what the cloud charges for that hour, the server's monthly price reached or
    not (`capped`); `micros` is the payer's part of it and the rest, for `cause`, the farm's own.
    Without a payer all of it is the farm's. A line of the farm's own fee costs it nothing.
    `month` is the first day of the month it counts in. The database lets nobody change or delete a
    line; agents and people are named, so that it outlives them.
    """

    server_uid = models.CharField(max_length=12)
    hour_index = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    began_at = models.DateTimeField()
    month = models.DateField()
    agent_uid = models.CharField(max_length=12, blank=True)
    agent_name = models.CharField(max_length=40, blank=True)
    account_uid = models.CharField(max_length=12, blank=True)
    payer = models.ForeignKey(Payer, null=True, on_delete=models.PROTECT, related_name="lines")
    cost_centre = models.CharField(max_length=40, blank=True)
    person_uid = models.CharField(max_length=150, blank=True)
    person_email = models.EmailField(blank=True)
    micros = models.BigIntegerField()
    cloud_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    price = models.ForeignKey(PriceRow, on_delete=models.PROTECT, related_name="lines")
    capped = models.BooleanField()
    cause = models.CharField(max_length=8, choices=Cause.choices, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["server_uid", "hour_index", "kind"], name="no_hour_twice"
            ),
            models.CheckConstraint(
                condition=models.Q(micros__gte=0)
                & (
                    models.Q(micros__lte=models.F("cloud_micros"))
                    | models.Q(kind=Kind.FEE, cloud_micros=0)
                ),
                name="no_more_than_the_cloud",
            ),
            models.CheckConstraint(
                condition=models.Q(payer__isnull=False) | models.Q(micros=0),
                name="nobody_pays_without_payer",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["payer", "month"], name="line_of_payer"),
            models.Index(fields=["agent_uid", "month"], name="line_of_agent"),
            models.Index(fields=["month", "account_uid"], name="line_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.server_uid} {self.kind} {self.hour_index}: {self.micros}"
