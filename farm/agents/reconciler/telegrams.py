"""One step of a Telegram link: wait for the code, link, and have the agent say hello there."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from farm.agents.events import note
from farm.agents.models import Agent, AgentPhase, TelegramLink
from farm.agents.pace import CHANNEL_CODE
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.codes import sender_of
from farm.agents.reconciler.setting_up import first_words_of
from farm.agents.reconciler.troubles import Nap, jitter
from farm.agents.services.channels import ask_reconfigure
from farm.agents.telegram import BotBusy, NotBegun, TokenRefused, get_notes, send_text
from farm.outbound import Unreachable
from provisioning.lifecycle import back_off, poll_delay

State = TelegramLink.State
AT_ONCE = timedelta(0)
BETWEEN = timedelta(seconds=3)


def drive_telegram(claim: Claim[TelegramLink]) -> Nap:
    """Take one step; answers when to look again (None: when somebody rings)."""
    link = claim.row
    if link.state == State.LINKED:
        return _greet(claim)
    if link.state != State.WAITING:
        return None
    try:
        return _acknowledge(claim) if link.user_id else _listen(claim)
    except TokenRefused:
        return _end(claim, State.REFUSED, "telegram_token_refused")
    except BotBusy as error:
        return timedelta(seconds=error.retry_after)
    except Unreachable:
        link.attempts += 1
        return back_off(link.attempts, jitter())


def _listen(claim: Claim[TelegramLink]) -> Nap:
    link, now = claim.row, timezone.now()
    if link.asked_at + CHANNEL_CODE < now:
        return _end(claim, State.EXPIRED, "telegram_expired")
    heard = get_notes(link.bot_token, offset=link.update_offset)
    sender = sender_of(link.code, heard.notes)
    with claim.recording():
        link.update_offset = heard.next_offset
        if sender:
            link.user_id, link.user_name = sender.user_id, sender.user_name
        claim.save("update_offset", "user_id", "user_name")
    return AT_ONCE if sender else poll_delay(now - link.asked_at, jitter()) + timedelta(seconds=0.5)


def _acknowledge(claim: Claim[TelegramLink]) -> Nap:
    """Tell Telegram that the code was read, so that the agent never sees it; then it is linked.

    From here on the agent alone reads the bot: two readers would take messages from each other.
    """
    link, now = claim.row, timezone.now()
    get_notes(link.bot_token, offset=link.update_offset)
    with claim.recording():
        link.state, link.linked_at = State.LINKED, now
        claim.save("state", "linked_at")
        agent = Agent.objects.select_for_update(no_key=True).get(pk=link.agent.pk)
        note(agent, "telegram_linked", at=now, detail=link.user_name)
        ask_reconfigure(agent, now)
    return None


def _greet(claim: Claim[TelegramLink]) -> Nap:
    """The first words, at most once: the intent is written first, and taken back only if Telegram
    said no or was never reached."""
    link, now = claim.row, timezone.now()
    words = first_words_of(link.agent)
    if link.greeted_at or words is None or link.agent.phase != AgentPhase.RUNNING:
        return None
    with claim.recording():
        link.greeted_at = now
        claim.save("greeted_at")
    try:
        send_text(link.bot_token, chat_id=link.user_id, text=words.text)
    except TokenRefused:
        return _end(claim, State.REFUSED, "telegram_token_refused")
    except NotBegun:
        return _take_back(claim, _patience(now - (link.linked_at or now)))
    except BotBusy as error:
        return _take_back(claim, timedelta(seconds=error.retry_after))
    except Unreachable as error:
        return None if error.maybe_received else _take_back(claim, back_off(3, jitter()))
    note(link.agent, "telegram_greeted", at=now)
    return None


def _patience(waited: timedelta) -> Nap:
    """Until the person opens the chat of a bot just made; a day later they will speak first."""
    return None if waited > timedelta(days=1) else max(BETWEEN, waited / 10)


def _take_back(claim: Claim[TelegramLink], nap: Nap) -> Nap:
    with claim.recording():
        claim.row.greeted_at = None
        claim.save("greeted_at")
    return nap


def _end(claim: Claim[TelegramLink], state: TelegramLink.State, code: str) -> Nap:
    now = timezone.now()
    with claim.recording():
        claim.row.state = state
        claim.save("state")
        note(claim.row.agent, code, at=now)
    return None
