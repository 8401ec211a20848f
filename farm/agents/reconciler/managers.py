"""The farm's own Telegram bot: whoever makes a bot from its link for an agent is linked to it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from farm.agents.events import note
from farm.agents.models import TelegramLink, TelegramManager
from farm.agents.pace import CHANNEL_CODE
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.troubles import Nap, jitter
from farm.agents.services.channels import ask_reconfigure, lock
from farm.agents.telegram import BotBusy, Making, TokenRefused, get_makings, token_of_managed
from farm.outbound import Unreachable
from provisioning.lifecycle import back_off

logger = logging.getLogger(__name__)
State = TelegramLink.State
BETWEEN = timedelta(seconds=1.5)


def drive_manager(claim: Claim[TelegramManager]) -> Nap:
    """Hear who made which bot, as long as somebody is asked to make one."""
    manager = claim.row
    _expire(timezone.now())
    if not _offered().exists():
        return None
    try:
        return _listen(claim)
    except TokenRefused:
        logger.exception(
            "Telegram refuses TELEGRAM_MANAGER_TOKEN: no member can make a bot by link"
        )
        return timedelta(minutes=5)
    except BotBusy as error:
        return timedelta(seconds=error.retry_after)
    except Unreachable:
        manager.attempts += 1
        return back_off(manager.attempts, jitter())


def _listen(claim: Claim[TelegramManager]) -> Nap:
    """A bot is adopted before Telegram hears that we know of it: after a crash it comes again."""
    manager = claim.row
    heard = get_makings(settings.TELEGRAM_MANAGER_TOKEN, offset=manager.update_offset)
    for making in heard.makings:
        _adopt(claim, making)
    manager.attempts = 0
    with claim.recording():
        manager.update_offset = heard.next_offset
        claim.save("update_offset")
    return BETWEEN


def _adopt(claim: Claim[TelegramManager], making: Making) -> None:
    """Only the very name that was offered is taken; any other bot is none of ours."""
    found = _offered().filter(bot_username__iexact=making.bot.username).first()
    if found is None:
        return
    token = token_of_managed(settings.TELEGRAM_MANAGER_TOKEN, making.bot.id)
    now = timezone.now()
    with claim.recording():
        agent = lock(found.agent)
        link = _offered().filter(pk=found.pk).first()
        if link is None:
            return
        link.bot_token, link.bot_username = token, making.bot.username
        link.user_id, link.user_name = making.maker_id, making.maker_name
        link.state, link.linked_at = State.LINKED, now
        link.save()
        note(agent, "telegram_linked", at=now, detail=making.maker_name)
        ask_reconfigure(agent, now)


def _offered() -> QuerySet[TelegramLink]:
    return TelegramLink.objects.filter(state=State.OFFERED)


def _expire(now: datetime) -> None:
    for link in _offered().filter(asked_at__lt=now - CHANNEL_CODE):
        if _offered().filter(pk=link.pk).update(state=State.EXPIRED):
            note(link.agent, "telegram_expired", at=now)
