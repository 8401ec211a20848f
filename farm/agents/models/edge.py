"""The edge's rows: by what gateways are known, which firewalls admit it, and who may come in."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from farm.agents.models.agents import Agent
from farm.agents.models.rows import Drivable
from farm.agents.models.servers import Server
from farm.fields import SecretField


class GatewayAuthority(models.Model):
    """The farm's TLS authority for gateways; two overlap while one takes over from the other."""

    created_at = models.DateTimeField()
    not_after = models.DateTimeField()
    private_key = SecretField()
    certificate = models.TextField()

    def __str__(self) -> str:
        return f"TLS authority of {self.created_at:%F}"


class GatewayPass(models.Model):
    """By what one machine's gateway is known, and whom it was told to admit.

    `keeper_name` is what the edge calls the one person who may come in; a machine of the pool has
    nobody yet. `addresses` are those of
    the edge that were last written on the machine, "" while its gateway admits no edge.
    """

    server = models.OneToOneField(Server, on_delete=models.CASCADE, related_name="gateway_pass")
    private_key = SecretField()
    certificate = models.TextField()
    not_after = models.DateTimeField()
    keeper = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    keeper_name = models.CharField(max_length=80, blank=True)
    addresses = models.CharField(max_length=500, blank=True)
    written = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"pass of {self.server}"


class EdgeRound(Drivable):
    """A cloud whose firewall and gateways are kept in step with the list of the edge's addresses.

    `sources` are the addresses that its firewall was last told to let through to gateways.
    """

    provider = models.CharField(max_length=20, unique=True)
    sources = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"edge at {self.provider}"


class EdgeCode(models.Model):
    """A way from the site to an agent's host: good once, for a minute, in one browser.

    `knock_hash` is of what that browser holds on the agent's host; `session_key` is of the session
    at the site; `path` is where the person wanted to go there.
    """

    code_hash = models.CharField(max_length=64, unique=True)
    knock_hash = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    session_key = models.CharField(max_length=40)
    path = models.CharField(max_length=1000)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"code for {self.agent}"


class EdgeVisit(models.Model):
    """A browser that came in at an agent's host; it ends with the session it came from."""

    cookie_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="visits")
    session_key = models.CharField(max_length=40)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"visit of {self.user} to {self.agent}"
