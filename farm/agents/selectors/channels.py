"""Where the links to chat apps stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, SlackLink, TelegramLink, WhatsAppLink


class ChannelApp(StrEnum):
    """The chat apps through which an agent is reached."""

    TELEGRAM = "telegram"
    SLACK = "slack"
    WHATSAPP = "whatsapp"


@dataclass(frozen=True, slots=True)
class ChannelLink:
    """One link: as what the agent is there, whom it answers, and how it stands, in words."""

    app: ChannelApp
    state: str
    words: str
    called: str
    answers: str


def links_of(agent: Agent) -> tuple[ChannelLink, ...]:
    """Every link of the agent; nothing secret is among it."""
    return tuple(_links(agent))


def is_ready(link: SlackLink | WhatsAppLink) -> bool:
    """Whether the machine that the agent has now holds what the link needs."""
    machine = machine_of(link.agent)
    return machine is not None and link.ready_on == machine.uid


def _links(agent: Agent) -> Iterator[ChannelLink]:
    for telegram in TelegramLink.objects.filter(agent=agent):
        words, called = telegram.get_state_display(), f"@{telegram.bot_username}"
        yield _link(ChannelApp.TELEGRAM, telegram.state, words, called, telegram.user_name)
    for slack in SlackLink.objects.filter(agent=agent):
        words, called = slack.get_state_display(), f"{slack.bot_name}, {slack.team_name}"
        yield _link(ChannelApp.SLACK, slack.state, words, called, slack.user_name)
    for whatsapp in WhatsAppLink.objects.filter(agent=agent):
        words = whatsapp.get_state_display()
        yield _link(ChannelApp.WHATSAPP, whatsapp.state, words, whatsapp.account, whatsapp.number)


def _link(app: ChannelApp, state: str, words: str, called: str, answers: str) -> ChannelLink:
    return ChannelLink(app=app, state=state, words=str(words), called=called, answers=answers)
