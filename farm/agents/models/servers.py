"""The machines that agents live on."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import new_uid
from farm.agents.models.agents import Agent
from farm.agents.models.projects import ProviderProject
from farm.agents.models.rows import Drivable
from farm.fields import SecretField


class ServerPhase(models.TextChoices):
    """Where a server is on its way."""

    REQUESTED = "requested", _("requested")
    CREATING = "creating", _("being created")
    BOOTING = "booting", _("booting")
    READY = "ready", _("ready")
    HALTING = "halting", _("being switched off")
    OFF = "off", _("off")
    WAKING = "waking", _("being switched on")
    DELETING = "deleting", _("being deleted")
    GONE = "gone", _("gone")
    LOST = "lost", _("lost")


class Power(models.TextChoices):
    """What a machine is wanted to be; asleep is as cheap as its cloud allows, its disk kept."""

    ON = "on", _("on")
    OFF = "off", _("off")
    ASLEEP = "asleep", _("asleep")


class Server(Drivable):
    """One machine at a provider. An agent may have had several; one of the pool has none yet.

    It is its agent's from `joined_at` on; one of the pool may be claimed from `warmed_at` on. A
    successor is made ready while the machine that it `takes_over_from` still serves, and counts
    from `took_over_at` on. What services and agents want of it is its `wanted_power` and its
    `wanted_type` ("" while it is to keep its own); `made_from` is the copy of a disk that it starts
    with, none for an image.

    `create_sent_at` is the intent: set before the call, so a crash after it looks before it asks.
    From `distrusted_at` on nothing is sent to it: it showed another host key than ours.
    `serving_since` is when its agent first answered on it: the payer's meter starts in that hour,
    and stops after the one in which its removal was first ordered, `let_go_at`. `ended_at` is the
    cloud's own word on its end, `gone_at` when the farm saw it; once `metered`, its last hour is
    written. Its orders at the cloud, `action_ids`, were last looked at together with those of
    others at `orders_seen_at`, and then were in `orders_state` (an `ActionStatus`, "" before).
    `spans` (see `farm.agents.spans`) tells for which times its parts are charged for where the
    cloud does so apart, as of `parts_seen_at`.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    agent = models.ForeignKey(Agent, null=True, on_delete=models.PROTECT, related_name="servers")
    provider = models.CharField(max_length=20)
    project = models.ForeignKey(
        ProviderProject, null=True, on_delete=models.PROTECT, related_name="servers"
    )
    server_type = models.CharField(max_length=40)
    location = models.CharField(max_length=20)
    image = models.CharField(max_length=80, blank=True)
    requested_at = models.DateTimeField()
    wanted_gone = models.BooleanField(default=False)
    wanted_power = models.CharField(max_length=8, choices=Power.choices, default=Power.ON)
    wanted_type = models.CharField(max_length=40, blank=True)
    joined_at = models.DateTimeField(null=True)
    takes_over_from = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="successors"
    )
    took_over_at = models.DateTimeField(null=True)
    made_from = models.ForeignKey(
        "agents.DiskCopy", null=True, on_delete=models.PROTECT, related_name="machines"
    )

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
    let_go_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
    spans = models.TextField(blank=True)
    parts_seen_at = models.DateTimeField(null=True)
    metered = models.BooleanField(default=False)
    action_ids = models.CharField(max_length=200, blank=True)
    orders_seen_at = models.DateTimeField(null=True)
    orders_state = models.CharField(max_length=8, blank=True)
    orders_error = models.CharField(max_length=500, blank=True)
    orders_ended_at = models.DateTimeField(null=True)
    ipv4 = models.GenericIPAddressField(null=True, protocol="IPv4")
    host_key = models.TextField(blank=True)
    pending_host_key = models.TextField(blank=True)
    first_host_key = SecretField(blank=True)
    host_key_rotated = models.BooleanField(default=False)
    distrusted_at = models.DateTimeField(null=True)
    warmed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"farm-{self.uid}"
