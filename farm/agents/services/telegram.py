"""Wishes about an agent's Telegram bot: link it, unlink it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.agents.events import note
from farm.agents.models import Agent, TelegramLink, TelegramManager
from farm.agents.refusals import Refused
from farm.agents.services.channels import ask_reconfigure, lock, lock_living, new_code
from farm.agents.services.rights import demand_right
from farm.agents.telegram import Bot, BotBusy, TokenRefused, get_me
from farm.outbound import Unreachable

TOKEN = re.compile(r"[0-9]{3,16}:[A-Za-z0-9_-]{20,80}")


@dataclass(frozen=True, slots=True)
class CheckedBot:
    """A bot that Telegram knows, and its token."""

    bot: Bot
    token: str = field(repr=False)


def checked_bot(token: str) -> CheckedBot:
    """Ask Telegram whose token this is, or Refused. A network call: no transaction here."""
    token = token.strip()
    if not TOKEN.fullmatch(token):
        sentence = _("This is not a bot token: copy the whole line that @BotFather gave you.")
        raise Refused("telegram_bot_token", "telegram_token_shape", sentence)
    try:
        return CheckedBot(bot=get_me(token), token=token)
    except TokenRefused:
        sentence = _("Telegram refuses this token. Copy it again from @BotFather.")
        raise Refused("telegram_bot_token", "telegram_token_refused", sentence) from None
    except (BotBusy, Unreachable):
        sentence = _("Telegram did not answer, so the token could not be checked. Try again.")
        raise Refused("telegram_bot_token", "telegram_unreachable", sentence) from None


def link_telegram(*, actor: User, door: Door, agent: Agent, bot_token: str) -> TelegramLink:
    """Give the agent a bot; it is linked once its member has sent the link's code to the bot.

    A machine that reads a bot already lets it go first: it would swallow the code.
    """
    demand_right(actor, agent, Action.LINK_CHANNEL)
    bot = checked_bot(bot_token)
    with transaction.atomic():
        agent, now = lock_living(agent), timezone.now()
        had = TelegramLink.objects.filter(agent=agent, linked_at__isnull=False).exists()
        record(
            account=agent.account, actor=actor, door=door, verb="link telegram", subject=agent.uid
        )
        link = attach_bot(agent, bot, now)
        if had:
            ask_reconfigure(agent, now)
        return link


def offer_telegram(*, actor: User, door: Door, agent: Agent) -> TelegramLink:
    """A link from which the member makes a bot in Telegram itself; its maker is whom it answers.

    The bot's name is random and asked for once, so that nobody can claim another agent's.
    """
    demand_right(actor, agent, Action.LINK_CHANNEL)
    manager = _manager()
    with transaction.atomic():
        agent, now = lock_living(agent), timezone.now()
        had = TelegramLink.objects.filter(agent=agent, linked_at__isnull=False).exists()
        TelegramLink.objects.filter(agent=agent).delete()
        link = TelegramLink.objects.create(
            agent=agent,
            bot_username=f"farm_{secrets.token_hex(10)}_bot",
            state=TelegramLink.State.OFFERED,
            asked_at=now,
        )
        TelegramManager.objects.filter(pk=manager.pk).update(due_at=now)
        record(
            account=agent.account, actor=actor, door=door, verb="offer telegram", subject=agent.uid
        )
        note(agent, "telegram_offered", at=now)
        if had:
            ask_reconfigure(agent, now)
        return link


def _manager() -> TelegramManager:
    """The farm's own bot, as Telegram knows it now; Refused if it has none that works."""
    sentence = _("The farm's own bot cannot be reached. Use a bot of @BotFather's instead.")
    try:
        bot = get_me(settings.TELEGRAM_MANAGER_TOKEN)
    except (TokenRefused, BotBusy, Unreachable):
        raise Refused("", "telegram_no_manager", sentence) from None
    manager, _created = TelegramManager.objects.get_or_create(username=bot.username)
    return manager


@transaction.atomic
def unlink_telegram(*, actor: User, door: Door, agent: Agent) -> None:
    """Take the bot away; a running agent is set up again without it. Content if there is none."""
    demand_right(actor, agent, Action.CUT_OFF_CHANNEL)
    agent = lock(agent)
    link = TelegramLink.objects.filter(agent=agent).first()
    if link is None:
        return
    now = timezone.now()
    linked = link.linked_at is not None
    link.delete()
    note(agent, "telegram_unlinked", at=now)
    record(account=agent.account, actor=actor, door=door, verb="unlink telegram", subject=agent.uid)
    if linked:
        ask_reconfigure(agent, now)


def attach_bot(agent: Agent, checked: CheckedBot, now: datetime) -> TelegramLink:
    """Replace the agent's bot inside the caller's transaction; Refused if it is another agent's."""
    _demand_free(agent, checked.bot)
    TelegramLink.objects.filter(agent=agent).delete()
    note(agent, "telegram_asked", at=now, detail=f"@{checked.bot.username}")
    return TelegramLink.objects.create(
        agent=agent,
        bot_token=checked.token,
        bot_username=checked.bot.username,
        code=new_code(),
        asked_at=now,
        due_at=now,
    )


def _demand_free(agent: Agent, bot: Bot) -> None:
    """Two readers of one bot take the messages from each other: a bot belongs to one agent."""
    others = TelegramLink.objects.filter(bot_username=bot.username).exclude(agent=agent)
    if others.exclude(agent__wanted=Agent.Wanted.DELETED).exists():
        sentence = _("This bot belongs to another agent already: make a new one with @BotFather.")
        raise Refused("telegram_bot_token", "telegram_bot_taken", sentence)
