"""Agents, the servers they live on, and what is under way for them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, new_uid
from farm.fields import SecretField


class AgentPhase(models.TextChoices):
    """Where an agent is on its way."""

    PLACING = "placing", _("reserving its machine")
    CONFIGURING = "configuring", _("waking up")
    RUNNING = "running", _("answers")
    DELETING = "deleting", _("being deleted")
    DELETED = "deleted", _("deleted")
    FAILED = "failed", _("failed")


class ServerPhase(models.TextChoices):
    """Where a server is on its way."""

    REQUESTED = "requested", _("requested")
    CREATING = "creating", _("being created")
    BOOTING = "booting", _("booting")
    READY = "ready", _("ready")
    DELETING = "deleting", _("being deleted")
    GONE = "gone", _("gone")
    LOST = "lost", _("lost")


class Drivable(models.Model):
    """A row that a worker drives: when it is due, who holds it, how often it tried."""

    due_at = models.DateTimeField(null=True, db_index=True)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True


class Agent(Drivable):
    """What a member asked for and sees. Name, uid and address are for life.

    `wanted` .. `generation` are the spec, written by services only; `fulfilled_generation` ..
    `deleted_at` are written by the reconciler only. `agreed_*` is the price on the button that was
    pressed: what a machine of this agent may cost at most, its IPv4 included.
    """

    class Wanted(models.TextChoices):
        """The state its owner wants."""

        RUNNING = "running", _("running")
        DELETED = "deleted", _("deleted")

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="agents")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="agents"
    )
    name = models.CharField(max_length=40)
    host = models.CharField(max_length=63, unique=True)
    language = models.CharField(max_length=8, default="en")
    created_at = models.DateTimeField()

    wanted = models.CharField(max_length=8, choices=Wanted.choices, default=Wanted.RUNNING)
    blueprint = models.CharField(max_length=40)
    plan = models.CharField(max_length=40)
    region = models.CharField(max_length=40)
    runtime_version = models.CharField(max_length=20)
    model_provider = models.CharField(max_length=20)
    model = models.CharField(max_length=80)
    model_key = SecretField(blank=True)
    gateway_token = SecretField()
    agreed_hourly_micros = models.BigIntegerField()
    agreed_monthly_micros = models.BigIntegerField()
    agreed_currency = models.CharField(max_length=3)
    generation = models.PositiveIntegerField(default=1)

    fulfilled_generation = models.PositiveIntegerField(default=0)
    phase = models.CharField(max_length=12, choices=AgentPhase.choices, default=AgentPhase.PLACING)
    phase_since = models.DateTimeField()
    step = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=500, blank=True)
    config_digest = models.CharField(max_length=64, blank=True)
    running_since = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.uid})"


class Server(Drivable):
    """One machine at a provider. An agent may have had several.

    `create_sent_at` is the intent: set before the call, so a crash after it looks before it asks.
    From `distrusted_at` on nothing is sent to it: it showed another host key than ours.
    `serving_since` is when its agent first answered on it: the payer's meter starts in that hour.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    agent = models.ForeignKey(Agent, null=True, on_delete=models.PROTECT, related_name="servers")
    provider = models.CharField(max_length=20)
    server_type = models.CharField(max_length=40)
    location = models.CharField(max_length=20)
    image = models.CharField(max_length=80, blank=True)
    requested_at = models.DateTimeField()
    wanted_gone = models.BooleanField(default=False)

    phase = models.CharField(
        max_length=12, choices=ServerPhase.choices, default=ServerPhase.REQUESTED
    )
    phase_since = models.DateTimeField()
    reason = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=500, blank=True)
    create_sent_at = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=40, blank=True, db_index=True)
    created_at = models.DateTimeField(null=True)
    serving_since = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
    action_ids = models.CharField(max_length=200, blank=True)
    ipv4 = models.GenericIPAddressField(null=True, protocol="IPv4")
    host_key = models.TextField(blank=True)
    pending_host_key = models.TextField(blank=True)
    first_host_key = SecretField(blank=True)
    host_key_rotated = models.BooleanField(default=False)
    distrusted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"farm-{self.uid}"


class OperationKind(models.TextChoices):
    """What sort of wish is under way."""

    CREATE = "create", _("create")
    RECONFIGURE = "reconfigure", _("apply changes")
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

        RESERVE = "reserve", _("I reserve its machine")
        INSTALL = "install", _("I install it")
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


class Offer(models.Model):
    """A server type at a place as its cloud last showed it: price, availability, size."""

    provider = models.CharField(max_length=20)
    server_type = models.CharField(max_length=40)
    location = models.CharField(max_length=20)
    available = models.BooleanField()
    hourly_micros = models.BigIntegerField()
    monthly_micros = models.BigIntegerField(null=True)
    ipv4_hourly_micros = models.BigIntegerField()
    ipv4_monthly_micros = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "server_type", "location"], name="one_offer_per_place"
            )
        ]

    def __str__(self) -> str:
        return f"{self.server_type} at {self.provider} {self.location}"


class ProviderProject(Drivable):
    """One project at a cloud, surveyed now and then: what it sells, and what it has of ours.

    A 429 pauses it for everyone until `paused_until`, and so does what only the operator mends;
    then `reason` says what, and stays until a call of that sort succeeds again.
    """

    provider = models.CharField(max_length=20, unique=True)
    paused_until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=500, blank=True)
    offers_seen_at = models.DateTimeField(null=True)
    swept_at = models.DateTimeField(null=True)
    orphans = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.provider


class FarmKey(models.Model):
    """A key pair of the farm's SSH certificate authority; two may overlap while one rotates."""

    created_at = models.DateTimeField()
    private_key = SecretField()
    public_key = models.TextField()
    retired_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"CA of {self.created_at:%F}"


class WorkerBeat(models.Model):
    """A worker that was alive at `at`; the doctor reads it."""

    worker = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.worker} at {self.at:%F %T}"
