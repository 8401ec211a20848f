"""The link to Telegram in words."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings

from farm.agents.models import Agent, TelegramLink, TelegramManager
from farm.agents.sentences import sentence_for

REASONS = {
    TelegramLink.State.EXPIRED: "telegram_expired",
    TelegramLink.State.REFUSED: "telegram_token_refused",
}


@dataclass(frozen=True, slots=True)
class TelegramWords:
    """How the link stands; `state` is "" where there is none."""

    state: str = ""
    bot: str = ""
    code: str = ""
    link: str = ""
    person: str = ""
    greeted: bool = False
    trouble: str = ""
    next: str = ""
    by_link: bool = False

    @property
    def changes(self) -> bool:
        """Whether the page is to look again."""
        return self.state in (TelegramLink.State.OFFERED, TelegramLink.State.WAITING)


def telegram_words(agent: Agent) -> TelegramWords:
    """What the page shows of the agent's bot."""
    link = TelegramLink.objects.filter(agent=agent).first()
    by_link = bool(settings.TELEGRAM_MANAGER_TOKEN)
    if link is None:
        return TelegramWords(by_link=by_link)
    words = sentence_for(REASONS.get(TelegramLink.State(link.state), ""))
    return TelegramWords(
        state=link.state,
        bot=link.bot_username,
        code=link.code,
        link=_address(agent, link),
        person=link.user_name,
        greeted=link.greeted_at is not None,
        trouble=str(words.what),
        next=str(words.next),
        by_link=by_link,
    )


def _address(agent: Agent, link: TelegramLink) -> str:
    """Where the member goes on: to the bot with its code, or to where Telegram makes one."""
    name = quote(link.bot_username)
    if link.state != TelegramLink.State.OFFERED:
        return f"https://t.me/{name}?start={quote(link.code)}"
    manager = TelegramManager.objects.order_by("-pk").first()
    base = f"{settings.TELEGRAM_ENDPOINT}/" if settings.SANDBOX_MAILBOX_URL else "https://t.me/"
    by = quote(manager.username if manager else "")
    return f"{base}newbot/{by}/{name}?name={quote(agent.name)}"
