"""One step of a Slack link: wait for the code, fetch the software, have the agent say hello."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from farm.agents import slack
from farm.agents.events import note
from farm.agents.models import SlackLink
from farm.agents.pace import CHANNEL_CODE
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.codes import sender_of
from farm.agents.reconciler.plugins import awake, bring
from farm.agents.reconciler.setting_up import first_words_of
from farm.agents.reconciler.troubles import Nap, jitter
from farm.agents.selectors.channels import is_ready
from farm.agents.slack import SlackBusy, SlackRefused
from farm.outbound import Unreachable
from provisioning.channels import Plugin
from provisioning.lifecycle import back_off, poll_delay

State = SlackLink.State
AT_ONCE = timedelta(0)
CLOCKS = timedelta(minutes=2)
"""How far Slack's clock may be from the farm's; a code is random, so an old one is no danger."""
BETWEEN = timedelta(seconds=3)
"""Slack bears about fifty looks a minute at the chats of one app, and a look is two or three."""


def drive_slack(claim: Claim[SlackLink]) -> Nap:
    """Take one step; answers when to look again (None: when somebody rings)."""
    link = claim.row
    if link.state == State.LINKED:
        return _greet(claim) if is_ready(link) else bring(claim, Plugin.SLACK)
    if link.state != State.WAITING:
        return None
    try:
        return _listen(claim)
    except SlackRefused:
        return _end(claim, State.REFUSED, "slack_refused")
    except (SlackBusy, Unreachable):
        link.attempts += 1
        return back_off(link.attempts, jitter())


def _listen(claim: Claim[SlackLink]) -> Nap:
    link, now = claim.row, timezone.now()
    if link.asked_at + CHANNEL_CODE < now:
        return _end(claim, State.EXPIRED, "slack_expired")
    heard = slack.get_notes(link.bot_token, since=link.asked_at - CLOCKS)
    sender = sender_of(link.code, heard)
    if sender is None:
        return poll_delay(now - link.asked_at, jitter()) + BETWEEN
    link.user_id, link.user_name = sender.user_id, slack.name_of(link.bot_token, sender.user_id)
    link.state, link.linked_at = State.LINKED, now
    with claim.recording():
        claim.save("user_id", "user_name", "state", "linked_at")
        note(link.agent, "slack_linked", at=now, detail=link.user_name)
    return AT_ONCE


def _greet(claim: Claim[SlackLink]) -> Nap:
    """The first words, at most once: the intent is written first, and taken back only if Slack
    said no or was never reached."""
    link, now = claim.row, timezone.now()
    words = first_words_of(link.agent)
    if link.greeted_at or words is None or not awake(link.agent):
        return None
    with claim.recording():
        link.greeted_at = now
        claim.save("greeted_at")
    try:
        slack.send_text(link.bot_token, user_id=link.user_id, text=words.text)
    except SlackRefused:
        return _end(claim, State.REFUSED, "slack_refused")
    except SlackBusy:
        return _take_back(claim)
    except Unreachable as error:
        return None if error.maybe_received else _take_back(claim)
    note(link.agent, "slack_greeted", at=now)
    return None


def _take_back(claim: Claim[SlackLink]) -> Nap:
    with claim.recording():
        claim.row.greeted_at = None
        claim.save("greeted_at")
    return back_off(4, jitter())


def _end(claim: Claim[SlackLink], state: SlackLink.State, code: str) -> Nap:
    now = timezone.now()
    with claim.recording():
        claim.row.state = state
        claim.save("state")
        note(claim.row.agent, code, at=now)
    return None
