"""People, the accounts they share, and the audit trail of what they did."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_uid() -> str:
    """Twelve letters and digits that nobody confuses: about 59 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(12))


class User(AbstractUser):
    """A person, known by an e-mail address; `username` holds a uid that nobody sees."""

    username = models.CharField(max_length=150, unique=True, default=new_uid)
    email = models.EmailField(_("e-mail address"), unique=True)
    display_name = models.CharField(_("name"), max_length=80, blank=True)
    language = models.CharField(max_length=8, default="en")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email

    @property
    def called(self) -> str:
        """How an agent addresses this person: the name given, or what stands before the @."""
        return self.display_name or self.email.partition("@")[0].split(".")[0].capitalize()


class Role(models.TextChoices):
    """What a member may do in an account."""

    OWNER = "owner", _("owner")
    ADMIN = "admin", _("admin")
    MEMBER = "member", _("member")


class Door(models.TextChoices):
    """Through which door a wish came."""

    WEB = "web", "web"
    API = "api", "API"
    CLI = "cli", "command line"
    FARM = "farm", "the farm itself"


class Account(models.Model):
    """A team; it owns agents."""

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)
    members: models.ManyToManyField[User, Membership] = models.ManyToManyField(
        User, through="Membership", related_name="accounts"
    )

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One person in one account, with a role."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.MEMBER)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "user"], name="one_membership_each")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.account} as {self.role}"


class Invitation(models.Model):
    """What an inviter offers whoever opens the link: a place in the account, and an agent.

    Only the hash of the link's token is kept; `taken` counts the uses that are gone. Payer, shared
    key and what is on sale are named by uid or key: they live in rooms above or beside this one.
    "" is the default of the catalogue.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invitations")
    inviter = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=8, default="en")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.MEMBER)
    payer_uid = models.CharField(max_length=12, blank=True)
    cost_centre = models.CharField(max_length=40, blank=True)
    blueprint = models.CharField(max_length=40, blank=True)
    plan = models.CharField(max_length=40, blank=True)
    region = models.CharField(max_length=40, blank=True)
    shared_key_uid = models.CharField(max_length=12, blank=True)
    ai_budget_micros = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    most_uses = models.PositiveIntegerField(default=1)
    taken = models.PositiveIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(taken__lte=models.F("most_uses")), name="no_use_too_many"
            )
        ]

    def __str__(self) -> str:
        return f"invitation {self.uid} to {self.account}"


class InvitationUse(models.Model):
    """One person who took an invitation up, once; `agent_uid` is the agent they made with it."""

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="uses")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    agent_uid = models.CharField(max_length=12, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invitation", "user"], name="one_use_each")
        ]

    def __str__(self) -> str:
        return f"{self.user} took up {self.invitation}"


class ApiToken(models.Model):
    """A key to the API that acts as a person within its scopes until it expires.

    Only its hash is kept; `uid` stands in the token itself, so that it is found in one look.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    token_hash = models.CharField(max_length=64)
    scopes = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"token {self.name} of {self.user}"


class AuditEntry(models.Model):
    """Who did what through which door; written in the transaction of the deed itself."""

    at = models.DateTimeField(auto_now_add=True)
    account = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL, related_name="+")
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    door = models.CharField(max_length=4, choices=Door.choices)
    verb = models.CharField(max_length=40)
    subject = models.CharField(max_length=300)

    class Meta:
        ordering: ClassVar = ["-at"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.actor} {self.verb} {self.subject}"
