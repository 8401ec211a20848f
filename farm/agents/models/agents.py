"""An agent: what a member asked for and sees."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, new_uid
from farm.agents.models.keys import SharedKey
from farm.agents.models.rows import Drivable
from farm.fields import SecretField


class AgentPhase(models.TextChoices):
    """Where an agent is on its way."""

    PLACING = "placing", _("reserving its machine")
    RESTORING = "restoring", _("getting its backup back")
    CONFIGURING = "configuring", _("waking up")
    RUNNING = "running", _("answers")
    STOPPING = "stopping", _("falling asleep")
    STOPPED = "stopped", _("asleep")
    WAKING = "waking", _("being woken")
    RESIZING = "resizing", _("getting another size")
    MOVING = "moving", _("moving to another machine")
    DELETING = "deleting", _("being deleted")
    DELETED = "deleted", _("deleted")
    FAILED = "failed", _("failed")


class MachineWish(models.TextChoices):
    """What is to be done once to the machine of an agent."""

    NOTHING = "", _("nothing")
    RESIZE = "resize", _("give it another size")
    REPLACE = "replace", _("put another in its place")


class Agent(Drivable):
    """What a member asked for and sees. Name, uid and address are for life.

    `wanted` .. `generation` are the spec, written by services only; `fulfilled_generation` ..
    `deleted_at` are written by the reconciler only. `agreed_*` is the price on the button that was
    pressed: what a machine of this agent may cost at most, its IPv4 included.

    `restore_from` is the backup that its machine is to have; `saving` the one that is made first,
    before what it has is lost. `machine_wish` is over, as these are, once it is fulfilled.

    Its model is paid by its own `model_key`, which lives on its machine, or by `shared_key` through
    the relay: then `relay_key` is what its machine holds, good for `ai_budget_micros` a month.
    """

    class Wanted(models.TextChoices):
        """The state its owner wants."""

        RUNNING = "running", _("running")
        STOPPED = "stopped", _("asleep")
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
    shared_key = models.ForeignKey(
        SharedKey, null=True, on_delete=models.PROTECT, related_name="agents"
    )
    relay_key = SecretField(blank=True)
    relay_key_hash = models.CharField(max_length=64, blank=True, db_index=True)
    ai_budget_micros = models.BigIntegerField(null=True)
    gateway_token = SecretField()
    agreed_hourly_micros = models.BigIntegerField()
    agreed_monthly_micros = models.BigIntegerField()
    agreed_currency = models.CharField(max_length=3)
    generation = models.PositiveIntegerField(default=1)
    restore_from = models.ForeignKey(
        "agents.Backup", null=True, on_delete=models.PROTECT, related_name="+"
    )
    saving = models.ForeignKey(
        "agents.Backup", null=True, on_delete=models.PROTECT, related_name="+"
    )

    machine_wish = models.CharField(max_length=8, choices=MachineWish.choices, blank=True)

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
