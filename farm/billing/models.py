"""Who pays, what each server costs, and what was used: dated rows that nobody rewrites."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, new_uid


class Payer(models.Model):
    """Who a line is charged to, within an account. `internal`: a statement, nothing collected."""

    class Kind(models.TextChoices):
        """What is collected, and how."""

        INTERNAL = "internal", _("paid inside the company")

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
    """What a payer lets one person's machines cost in a month at most; refused in advance."""

    payer = models.ForeignKey(Payer, on_delete=models.CASCADE, related_name="limits")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    monthly_micros = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payer", "person"], name="one_limit_each")
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.monthly_micros} a month from {self.payer}"


class Kind(models.TextChoices):
    """What a price is for; each is a line of its own."""

    SERVER = "server", "server"
    IPV4 = "ipv4", "IPv4 address"


class PriceRow(models.Model):
    """What one kind costs for one server from a date on, net, in micro-units of `currency`.

    Pinned when the server is asked for: today's catalogue never re-prices a server that exists.
    A server is known by its uid, without a foreign key, and the row outlives it.
    """

    server_uid = models.CharField(max_length=12)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    valid_from = models.DateTimeField()
    hourly_micros = models.BigIntegerField()
    monthly_micros = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["server_uid", "kind", "valid_from"], name="one_price_per_date"
            )
        ]

    def __str__(self) -> str:
        return f"{self.server_uid} {self.kind}: {self.hourly_micros}/h from {self.valid_from:%F}"
