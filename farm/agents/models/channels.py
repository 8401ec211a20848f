"""The chat apps through which an agent is reached."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.agents.models.agents import Agent
from farm.agents.models.rows import Drivable
from farm.fields import SecretField


class TelegramLink(Drivable):
    """A bot on its way to an agent, until the farm knows which person may talk to it.

    Either a pasted token and then a code sent to the bot, or a bot that the person makes from the
    farm's manager bot: its maker is the person. Nobody types a numeric id.
    """

    class State(models.TextChoices):
        """How the link stands."""

        OFFERED = "offered", _("waiting for the bot to be made")
        WAITING = "waiting", _("waiting for the code")
        LINKED = "linked", _("linked")
        EXPIRED = "expired", _("the code was not sent in time")
        REFUSED = "refused", _("Telegram refuses the token")

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="telegram")
    bot_token = SecretField(blank=True)
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


class TelegramManager(Drivable):
    """The farm's own bot, from whose link a person makes a bot for an agent; one row at most.

    It is read by one worker at a time, since each reader takes the updates from every other.
    """

    username = models.CharField(max_length=64, unique=True)
    update_offset = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"@{self.username}, the farm's own bot"


class SlackLink(Drivable):
    """A Slack app on its way to an agent: two tokens, a code sent to its bot, then linked.

    `ready_on` is the machine that has the software which speaks with Slack.
    """

    class State(models.TextChoices):
        """How the link stands."""

        WAITING = "waiting", _("waiting for the code")
        LINKED = "linked", _("linked")
        EXPIRED = "expired", _("the code was not sent in time")
        REFUSED = "refused", _("Slack refuses the tokens")

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="slack")
    bot_token = SecretField()
    app_token = SecretField()
    bot_id = models.CharField(max_length=20)
    bot_name = models.CharField(max_length=80)
    team_name = models.CharField(max_length=80)
    code = models.CharField(max_length=8)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    user_id = models.CharField(max_length=20, blank=True)
    user_name = models.CharField(max_length=80, blank=True)
    asked_at = models.DateTimeField()
    linked_at = models.DateTimeField(null=True)
    ready_on = models.CharField(max_length=12, blank=True)
    greeted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.bot_name} in {self.team_name} for {self.agent}"


class WhatsAppLink(Drivable):
    """A WhatsApp account on its way to an agent: software, then a code to scan, then linked.

    `number` is the member's own, the only one it answers; `account` the number that scanned.
    `picture` is the code as a data URL, good for seconds: whoever scans it is linked. `ready_on` is
    the machine that has the software which speaks with WhatsApp.
    """

    class State(models.TextChoices):
        """How the link stands."""

        PREPARING = "prepare", _("getting ready on its machine")
        WAITING = "waiting", _("waiting for the code to be scanned")
        LINKED = "linked", _("linked")
        EXPIRED = "expired", _("the code was not scanned in time")
        LOGGED_OUT = "out", _("logged out")
        LEAVING = "leaving", _("being unlinked")

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="whatsapp")
    number = models.CharField(max_length=16)
    account = models.CharField(max_length=16, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PREPARING)
    trouble = models.CharField(max_length=40, blank=True)
    picture = SecretField(blank=True)
    asked_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True)
    linked_at = models.DateTimeField(null=True)
    ready_on = models.CharField(max_length=12, blank=True)

    def __str__(self) -> str:
        return f"WhatsApp {self.number} for {self.agent}"
