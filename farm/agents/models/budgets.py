"""Wishes for more of a shared model key."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import new_uid
from farm.agents.models.agents import Agent


class BudgetRequest(models.Model):
    """A member asks that their agent may spend `step_micros` more a month; a payer decides."""

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", _("waits for an answer")
        GRANTED = "granted", _("granted")
        DECLINED = "declined", _("declined")

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="budget_requests")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    step_micros = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agent"],
                condition=models.Q(state="open"),
                name="one_open_budget_request",
            )
        ]

    def __str__(self) -> str:
        return f"{self.agent} asks for {self.step_micros} more: {self.state}"
