"""The chat on an agent's page."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.agents.models.agents import Agent
from farm.agents.models.rows import Drivable


class Message(Drivable):
    """One line of the chat on the agent's page."""

    class Author(models.TextChoices):
        """Who wrote it."""

        MEMBER = "member", _("you")
        AGENT = "agent", _("the agent")

    class State(models.TextChoices):
        """How a member's message stands; an agent's is answered from the start."""

        QUEUED = "queued", _("waiting")
        SENT = "sent", _("sent")
        ANSWERED = "answered", _("answered")
        FAILED = "failed", _("not answered")
        UNKNOWN = "unknown", _("perhaps received")

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="messages")
    author = models.CharField(max_length=6, choices=Author.choices)
    text = models.TextField()
    at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices)
    reason = models.CharField(max_length=40, blank=True)
    reply_to = models.OneToOneField(
        "self", null=True, on_delete=models.CASCADE, related_name="reply"
    )

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.author} at {self.at:%F %T}"
