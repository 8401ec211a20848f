"""The link to Telegram in words."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from farm.agents.models import Agent, TelegramLink
from farm.agents.sentences import sentence_for

REASONS = {
    TelegramLink.State.EXPIRED: "telegram_expired",
    TelegramLink.State.REFUSED: "telegram_token_refused",
}


@dataclass(frozen=True, slots=True)
class TelegramWords:
    """How the link stands; `state` is "" where there is none."""

    state: str
    bot: str
    code: str
    link: str
    person: str
    greeted: bool
    trouble: str
    next: str


def telegram_words(agent: Agent) -> TelegramWords:
    """What the page shows of the agent's bot."""
    link = TelegramLink.objects.filter(agent=agent).first()
    if link is None:
        return TelegramWords("", "", "", "", "", greeted=False, trouble="", next="")
    words = sentence_for(REASONS.get(TelegramLink.State(link.state), ""))
    return TelegramWords(
        state=link.state,
        bot=link.bot_username,
        code=link.code,
        link=f"https://t.me/{quote(link.bot_username)}?start={quote(link.code)}",
        person=link.user_name,
        greeted=link.greeted_at is not None,
        trouble=str(words.what),
        next=str(words.next),
    )
