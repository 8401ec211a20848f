"""Wishes about an agent's WhatsApp: link an account by a code to scan, ask for another, unlink."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.agents.events import note
from farm.agents.models import Agent, WhatsAppLink
from farm.agents.refusals import Refused
from farm.agents.services.channels import lock, lock_living
from farm.agents.services.rights import demand_right

State = WhatsAppLink.State
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_BETWEEN = re.compile(r"[\s().\-/\u00a0\u202f]|\(0\)")
TO_SCAN = (State.EXPIRED, State.LOGGED_OUT, State.WAITING)


def link_whatsapp(*, actor: User, door: Door, agent: Agent, number: str) -> WhatsAppLink:
    """Have the agent answer this number, its member's own; a worker fetches the code to scan.

    It may be asked for while the machine boots: the code comes once the agent runs.
    """
    demand_right(actor, agent, Action.LINK_CHANNEL)
    wanted = checked_number(number)
    with transaction.atomic():
        agent, now = lock_living(agent), timezone.now()
        _demand_none(agent)
        record(
            account=agent.account, actor=actor, door=door, verb="link whatsapp", subject=agent.uid
        )
        note(agent, "whatsapp_asked", at=now)
        return WhatsAppLink.objects.create(agent=agent, number=wanted, asked_at=now, due_at=now)


@transaction.atomic
def renew_whatsapp(*, actor: User, door: Door, agent: Agent) -> None:
    """A fresh code to scan, after the last one ran out or the phone logged the agent out."""
    demand_right(actor, agent, Action.LINK_CHANNEL)
    agent, now = lock_living(agent), timezone.now()
    renewed = WhatsAppLink.objects.filter(agent=agent, state__in=TO_SCAN).update(
        state=State.PREPARING, trouble="", picture="", began_at=None, attempts=0, due_at=now
    )
    if renewed:
        record(
            account=agent.account, actor=actor, door=door, verb="renew whatsapp", subject=agent.uid
        )


@transaction.atomic
def unlink_whatsapp(*, actor: User, door: Door, agent: Agent) -> None:
    """Log its account out and forget it; a machine that never heard of it is not asked."""
    demand_right(actor, agent, Action.CUT_OFF_CHANNEL)
    agent, now = lock(agent), timezone.now()
    link = WhatsAppLink.objects.filter(agent=agent).exclude(state=State.LEAVING).first()
    if link is None:
        return
    record(account=agent.account, actor=actor, door=door, verb="unlink whatsapp", subject=agent.uid)
    if not link.ready_on:
        link.delete()
        note(agent, "whatsapp_unlinked", at=now)
        return
    link.state, link.picture, link.due_at = State.LEAVING, "", now
    link.save(update_fields=["state", "picture", "due_at"])


def checked_number(number: str) -> str:
    """The number in E.164, however it was spaced; Refused without its country."""
    bare = _BETWEEN.sub("", number.strip().replace("(0)", ""))
    bare = f"+{bare[2:]}" if bare.startswith("00") else bare
    if not NUMBER.fullmatch(bare):
        sentence = _("Give your own number with its country, such as +33 6 12 34 56 78.")
        raise Refused("whatsapp_number", "whatsapp_number_shape", sentence)
    return bare


def _demand_none(agent: Agent) -> None:
    link = WhatsAppLink.objects.filter(agent=agent).first()
    if link is None:
        return
    if link.state == State.LEAVING:
        sentence = _("The account that was linked is being logged out: try again in a minute.")
        raise Refused("whatsapp_number", "whatsapp_leaving", sentence)
    sentence = _("WhatsApp is linked already: unlink it first to use another number.")
    raise Refused("whatsapp_number", "whatsapp_linked", sentence)
