"""What agents used of shared model keys: each call, and their sums by month and by day."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class AiMonth(models.Model):
    """One agent's spending in a calendar month of UTC, in micro-euros.

    `reserved_micros` is set aside for calls under way: what was spent and what is set aside never
    exceed the budget together. `told_budget_micros` is the budget whose end the agent last told of.
    """

    agent_uid = models.CharField(max_length=12)
    month = models.DateField()
    spent_micros = models.BigIntegerField(default=0)
    reserved_micros = models.BigIntegerField(default=0)
    told_budget_micros = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agent_uid", "month"], name="one_ai_month_each")
        ]

    def __str__(self) -> str:
        return f"{self.agent_uid} {self.month:%Y-%m}: {self.spent_micros}"


class AiCall(models.Model):
    """One call of a model: its worst case is set aside when it opens, its cost counted at its end.

    Whoever holds it ends it before `ends_by`; one that is open after that was lost with its relay.
    """

    class State(models.TextChoices):
        """How much is known of what it cost."""

        OPEN = "open", "under way"
        SEEN = "seen", "as its provider counted"
        UNSEEN = "unseen", "cut off, counted at its worst case"
        FREE = "free", "refused by its provider"

    agent_uid = models.CharField(max_length=12)
    agent_name = models.CharField(max_length=40)
    key_uid = models.CharField(max_length=12)
    opened_at = models.DateTimeField()
    ends_by = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=120)
    reserved_micros = models.BigIntegerField()
    cost_micros = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    payer_uid = models.CharField(max_length=12, blank=True)
    cost_centre = models.CharField(max_length=40, blank=True)
    person_email = models.EmailField(blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["agent_uid", "opened_at"], name="ai_call_of_agent"),
            models.Index(fields=["ends_by"], name="ai_call_open", condition=models.Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.agent_uid} {self.opened_at:%F %T} {self.model}: {self.state}"


class AiDay(models.Model):
    """What one agent used of one model on one day of UTC, for one payer: the line of a statement.

    Of `cost_micros`, `unseen_micros` is what `unseen_calls` may have cost at most.
    """

    agent_uid = models.CharField(max_length=12)
    agent_name = models.CharField(max_length=40)
    day = models.DateField()
    payer_uid = models.CharField(max_length=12, blank=True)
    cost_centre = models.CharField(max_length=40, blank=True)
    person_email = models.EmailField(blank=True)
    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=120)
    calls = models.PositiveIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cost_micros = models.BigIntegerField(default=0)
    unseen_calls = models.PositiveIntegerField(default=0)
    unseen_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    *("agent_uid", "day", "payer_uid", "cost_centre", "person_email"),
                    *("provider", "model"),
                ],
                name="one_ai_day_each",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["payer_uid", "day"], name="ai_day_of_payer")]

    def __str__(self) -> str:
        return f"{self.agent_uid} {self.day:%F} {self.model}: {self.cost_micros}"
