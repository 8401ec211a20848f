"""Wishes about an agent's Slack app: link it, unlink it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.agents import slack
from farm.agents.events import note
from farm.agents.models import Agent, SlackLink
from farm.agents.refusals import Refused
from farm.agents.services.channels import ask_reconfigure, lock, lock_living, new_code
from farm.agents.services.rights import demand_right
from farm.agents.slack import SlackBot, SlackBusy, SlackRefused
from farm.outbound import Unreachable

BOT, APP = "slack_bot_token", "slack_app_token"
LONGEST = 300


@dataclass(frozen=True, slots=True)
class CheckedApp:
    """An app that Slack knows, with both its tokens."""

    bot: SlackBot
    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)


def link_slack(
    *, actor: User, door: Door, agent: Agent, bot_token: str, app_token: str
) -> SlackLink:
    """Give the agent an app; it is linked once its member has sent the link's code to the bot.

    Both tokens are tried with Slack first; Refused says at which field.
    """
    demand_right(actor, agent, Action.LINK_CHANNEL)
    checked = checked_app(bot_token.strip(), app_token.strip())
    with transaction.atomic():
        agent, now = lock_living(agent), timezone.now()
        _demand_free(agent, checked.bot)
        had = SlackLink.objects.filter(agent=agent, linked_at__isnull=False).exists()
        record(account=agent.account, actor=actor, door=door, verb="link slack", subject=agent.uid)
        link = _attach(agent, checked, now)
        if had:
            ask_reconfigure(agent, now)
        return link


@transaction.atomic
def unlink_slack(*, actor: User, door: Door, agent: Agent) -> None:
    """Take the app away; a running agent is set up again without it. Content if there is none."""
    demand_right(actor, agent, Action.CUT_OFF_CHANNEL)
    agent = lock(agent)
    link = SlackLink.objects.filter(agent=agent).first()
    if link is None:
        return
    now = timezone.now()
    told = link.ready_on != ""
    link.delete()
    note(agent, "slack_unlinked", at=now)
    record(account=agent.account, actor=actor, door=door, verb="unlink slack", subject=agent.uid)
    if told:
        ask_reconfigure(agent, now)


def checked_app(bot_token: str, app_token: str) -> CheckedApp:
    """Ask Slack whose tokens these are, or Refused. Network calls: no transaction here."""
    _demand_shape(BOT, bot_token, "xoxb-")
    _demand_shape(APP, app_token, "xapp-")
    try:
        bot = slack.who_am_i(bot_token)
    except SlackRefused as refused:
        raise _no(BOT, refused) from None
    except (SlackBusy, Unreachable):
        raise _unreachable(BOT) from None
    try:
        slack.try_socket(app_token)
    except SlackRefused as refused:
        raise _no(APP, refused) from None
    except (SlackBusy, Unreachable):
        raise _unreachable(APP) from None
    _demand_one_app(bot, app_token)
    return CheckedApp(bot=bot, bot_token=bot_token, app_token=app_token)


def _demand_shape(field_name: str, token: str, beginning: str) -> None:
    if token.startswith(beginning) and len(token) <= LONGEST and token.isascii():
        return
    if field_name == BOT:
        sentence = _("The bot's token begins with xoxb-: copy it from “OAuth & Permissions”.")
    else:
        sentence = _("The app's token begins with xapp-: make it under “Basic Information”.")
    raise Refused(field_name, "slack_token_shape", sentence)


def _demand_one_app(bot: SlackBot, app_token: str) -> None:
    """The app's token carries its app's id; two apps would not hear each other."""
    named = app_token.split("-")[2:3]
    if bot.app_id and named and named[0].startswith("A") and named[0] != bot.app_id:
        sentence = _("This token is of another app than the bot's: take both from the same app.")
        raise Refused(APP, "slack_two_apps", sentence)


def _no(field_name: str, refused: SlackRefused) -> Refused:
    return Refused(field_name, f"slack_{refused.code}"[:40], _sentence(refused))


def _sentence(refused: SlackRefused) -> str | Promise:
    if refused.code == "missing_scope":
        sentence = _(
            "The app lacks the permission %(scope)s: add it, install the app again and paste the"
            " token that it gives then."
        )
        return str(sentence) % {"scope": refused.needed or "connections:write"}
    if refused.code == "not_allowed_token_type":
        return _("Slack takes another sort of token here: xoxb- for the bot, xapp- for the app.")
    if refused.code in slack.DEAD_TOKENS:
        return _("Slack refuses this token: it is wrong or was revoked. Copy it again.")
    sentence = _("Slack refuses this with “%(code)s”: look at the app's settings and try again.")
    return str(sentence) % {"code": refused.code}


def _unreachable(field_name: str) -> Refused:
    sentence = _("Slack did not answer, so the token could not be checked. Try again.")
    return Refused(field_name, "slack_unreachable", sentence)


def _demand_free(agent: Agent, bot: SlackBot) -> None:
    """Two readers of one app take the messages from each other: it belongs to one agent."""
    others = SlackLink.objects.filter(bot_id=bot.user_id).exclude(agent=agent)
    if others.exclude(agent__wanted=Agent.Wanted.DELETED).exists():
        sentence = _("This app belongs to another agent already: make one of its own.")
        raise Refused(BOT, "slack_app_taken", sentence)


def _attach(agent: Agent, checked: CheckedApp, now: datetime) -> SlackLink:
    SlackLink.objects.filter(agent=agent).delete()
    note(agent, "slack_asked", at=now, detail=f"{checked.bot.name}, {checked.bot.team}")
    return SlackLink.objects.create(
        agent=agent,
        bot_token=checked.bot_token,
        app_token=checked.app_token,
        bot_id=checked.bot.user_id,
        bot_name=checked.bot.name,
        team_name=checked.bot.team,
        code=new_code(),
        asked_at=now,
        due_at=now,
    )
