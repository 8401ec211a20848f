"""Wishes about the conversation: say something to an agent, and say it again."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.agents.models import Agent, AgentPhase, Message
from farm.agents.refusals import Refused
from farm.agents.services.channels import lock
from farm.agents.services.rights import demand_right

LONGEST = 20_000
LOST = (Message.State.FAILED, Message.State.UNKNOWN)


def send_message(*, actor: User, door: Door, agent: Agent, text: str) -> Message:
    """Queue a line for the agent; a worker carries it, in order, one turn at a time."""
    demand_right(actor, agent, Action.SPEAK)
    return _queue(actor, door, agent, _checked(text))


@transaction.atomic
def send_again(*, actor: User, door: Door, message: Message) -> Message:
    """The same words as a new line; only for a line that was not, or perhaps not, received.

    Asked twice, it answers the line that the first asking made, unless that was lost too.
    """
    demand_right(actor, message.agent, Action.SPEAK)
    if message.state not in LOST:
        raise Refused("", "message_not_failed", _("This message is on its way or answered."))
    lock(message.agent)
    later = Message.objects.filter(agent=message.agent, author=message.author, pk__gt=message.pk)
    again = later.filter(text=message.text).exclude(state__in=LOST).first()
    return again or _queue(actor, door, message.agent, message.text)


def _checked(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise Refused("text", "text_empty", _("Write something first."))
    if len(text) > LONGEST:
        sentence = _("This is too long for one message: send up to 20,000 characters.")
        raise Refused("text", "text_too_long", sentence)
    return text


@transaction.atomic
def _queue(actor: User, door: Door, agent: Agent, text: str) -> Message:
    agent = lock(agent)
    if agent.wanted == Agent.Wanted.DELETED:
        raise Refused("", "agent_gone", _("This agent is being deleted: it reads nothing more."))
    if agent.wanted == Agent.Wanted.STOPPED:
        raise Refused("", "agent_asleep", _("It is asleep: wake it, then send this."))
    if agent.phase == AgentPhase.FAILED:
        raise Refused("", "agent_failed", _("This agent is not running: try again first."))
    record(account=agent.account, actor=actor, door=door, verb="send message", subject=agent.uid)
    now = timezone.now()
    return Message.objects.create(
        agent=agent,
        author=Message.Author.MEMBER,
        text=text,
        at=now,
        state=Message.State.QUEUED,
        due_at=now,
    )
