"""The operator's word on projects at clouds: one more, none new for a while, and whose is where."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.services import record
from farm.agents.clouds import NAMES, SCALEWAY, credentials_of, fingerprint_of
from farm.agents.models import AccountProject, ProviderProject
from farm.agents.reconciler.pauses import is_ours_again
from farm.agents.refusals import Refused
from provisioning.errors import ProvisioningError
from provisioning.registry import provider_for


@dataclass(frozen=True, slots=True)
class ProjectWish:
    """One more project: a cloud, a name of ours, and what opens it.

    At Scaleway `token` is the secret key, and the other two are needed.
    """

    provider: str
    name: str
    token: str = field(repr=False)
    access_key: str = ""
    cloud_project: str = ""


def add_project(*, actor: User, door: Door, wish: ProjectWish) -> ProviderProject:
    """Have machines made in one more project of a cloud, once that cloud takes what opens it.

    PermissionDenied to all but the farm's operators; Refused with a sentence at its field.
    """
    demand(actor, Action.OPERATE_FARM)
    project = _read(wish)
    try:
        provider_for(credentials_of(project)).verify()
    except ProvisioningError as error:
        raise Refused("token", error.code, str(error)) from error
    with transaction.atomic():
        _check_new(project)
        project.due_at = timezone.now()
        project.save()
        record(account=None, actor=actor, door=door, verb="add project", subject=str(project))
    return project


def hold_project(*, actor: User, door: Door, project: ProviderProject, held: bool) -> None:
    """While it is held no new machine is made in it; those there are looked after."""
    demand(actor, Action.OPERATE_FARM)
    with transaction.atomic():
        if ProviderProject.objects.filter(pk=project.pk, held=not held).update(held=held):
            verb = "pause project" if held else "resume project"
            record(account=None, actor=actor, door=door, verb=verb, subject=str(project))
    project.held = held


def accept_project(*, actor: User, door: Door, project: ProviderProject) -> None:
    """What opens it is meant, though it opens a project with none of the farm's machines.

    Those that the farm had are then missed one by one, and their owners told.
    """
    demand(actor, Action.OPERATE_FARM)
    now = timezone.now()
    with transaction.atomic():
        ProviderProject.objects.filter(pk=project.pk).update(
            fingerprint=fingerprint_of(project), pointed_at=now, paused_until=None, due_at=now
        )
        is_ours_again(project)
        record(account=None, actor=actor, door=door, verb="accept project", subject=str(project))


def assign_project(*, actor: User, door: Door, account: Account, project: ProviderProject) -> None:
    """Have the account's next machines at that cloud made there; those it has stay."""
    demand(actor, Action.OPERATE_FARM)
    with transaction.atomic():
        AccountProject.objects.update_or_create(
            account=account, provider=project.provider, defaults={"project": project}
        )
        record(account=account, actor=actor, door=door, verb="assign project", subject=str(project))


def _read(wish: ProjectWish) -> ProviderProject:
    if wish.provider not in NAMES:
        raise Refused("provider", "unknown", _("Write hetzner or scaleway."))
    name = wish.name.strip()
    if not (name.isascii() and name.replace("-", "").isalnum() and len(name) <= 40):
        sentence = _("A project's name has letters, digits and hyphens, 40 at most.")
        raise Refused("name", "invalid", sentence)
    project = ProviderProject(
        provider=wish.provider,
        name=name,
        token=wish.token.strip(),
        access_key=wish.access_key.strip(),
        cloud_project=wish.cloud_project.strip(),
    )
    if wish.provider == SCALEWAY and not (project.access_key and project.cloud_project):
        sentence = _("Scaleway needs an access key, its secret key and the project's id.")
        raise Refused("access_key", "missing", sentence)
    return project


def _check_new(project: ProviderProject) -> None:
    """One project behind two rows would have two budgets, and its servers two sweeps."""
    there = ProviderProject.objects.filter(provider=project.provider)
    if there.filter(name=project.name).exists():
        raise Refused("name", "taken", _("There is a project of that name: take another one."))
    known = {fingerprint_of(row) for row in there}
    if fingerprint_of(project) in known:
        raise Refused("token", "known", _("This project is the farm's already."))
