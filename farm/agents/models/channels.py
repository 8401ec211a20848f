"""The chat apps through which an agent is reached."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.agents.models.agents import Agent
from farm.agents.models.rows import Drivable
from farm.fields import SecretField


class TelegramLink(Drivable):
    """A bot on its way to an agent: token, then a code sent to the bot, then linked.

    The code tells the farm which person may talk to the bot, so nobody types a numeric id.
    """

    class State(models.TextChoices):
        """How the link stands."""

        WAITING = "waiting", _("waiting for the code")
        LINKED = "linked", _("linked")
        EXPIRED = "expired", _("the code was not sent in time")
        REFUSED = "refused", _("Telegram refuses the token")

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="telegram")
    bot_token = SecretField()
    bot_username = models.CharField(max_length=64)
    code = models.CharField(max_length=8)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    user_id = models.CharField(max_length=20, blank=True)
    user_name = models.CharField(max_length=80, blank=True)
    update_offset = models.BigIntegerField(default=0)
    asked_at = models.DateTimeField()
    linked_at = models.DateTimeField(null=True)
    greeted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"@{self.bot_username} for {self.agent}"
