"""What is under way for an agent, and what happened to it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.agents.models.agents import Agent


class OperationKind(models.TextChoices):
    """What sort of wish is under way."""

    CREATE = "create", _("create")
    RECONFIGURE = "reconfigure", _("apply changes")
    RESTART = "restart", _("restart")
    RESTORE = "restore", _("restore")
    STOP = "stop", _("put to sleep")
    WAKE = "wake", _("wake")
    RESIZE = "resize", _("change the size")
    MOVE = "move", _("move")
    REBUILD = "rebuild", _("put on a fresh machine")
    DELETE = "delete", _("delete")


class OperationState(models.TextChoices):
    """How a wish stands."""

    UNDER_WAY = "under_way", _("under way")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    REPLACED = "replaced", _("replaced by a later wish")


class Operation(models.Model):
    """One wish under way, with its progress: what page and command line show."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="operations")
    kind = models.CharField(max_length=12, choices=OperationKind.choices)
    generation = models.PositiveIntegerField()
    state = models.CharField(
        max_length=10, choices=OperationState.choices, default=OperationState.UNDER_WAY
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.agent} ({self.state})"


class OperationStep(models.Model):
    """One line of the wait: when it began and when it was seen done."""

    class Key(models.TextChoices):
        """The lines of the wait, in people's words, in order."""

        SAVE = "save", _("I save what it has")
        HALT = "halt", _("I switch its machine off")
        KEEP = "keep", _("I keep a copy of its disk")
        RESIZE = "resize", _("I give its machine the other size")
        RESERVE = "reserve", _("I reserve its machine")
        SWITCH_ON = "switch_on", _("I switch its machine on")
        INSTALL = "install", _("I install it")
        BRING = "bring", _("I bring back what was saved")
        PERSONALITY = "personality", _("I give it its personality")
        WAKE = "wake", _("I wake it")
        ANSWER = "answer", _("It answers")
        REMOVE = "remove", _("I remove its machine")

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="steps")
    key = models.CharField(max_length=12, choices=Key.choices)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["operation", "key"], name="each_step_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.operation}"


class Event(models.Model):
    """What happened to an agent, one line each; written in the transaction of the change."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="events")
    server_uid = models.CharField(max_length=12, blank=True)
    at = models.DateTimeField()
    code = models.CharField(max_length=40)
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.code} {self.detail}"
