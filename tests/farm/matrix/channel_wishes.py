"""Wishes about chat apps, as the zygote's children utter them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from django.utils import timezone

from farm.accounts.models import Door
from farm.agents import services
from farm.agents.models import Agent, SlackLink, TelegramLink, WhatsAppLink

Order = Mapping[str, str]


def link_slack(order: Order) -> str:
    """Give the agent an app; the code to send to its bot."""
    agent = Agent.objects.get()
    return services.link_slack(
        actor=agent.owner,
        door=Door.CLI,
        agent=agent,
        bot_token=order["bot_token"],
        app_token=order["app_token"],
    ).code


def unlink_slack(_order: Order) -> str:
    """Take the app away."""
    agent = Agent.objects.get()
    services.unlink_slack(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def link_whatsapp(order: Order) -> str:
    """Have the agent answer a number."""
    agent = Agent.objects.get()
    return services.link_whatsapp(
        actor=agent.owner, door=Door.CLI, agent=agent, number=order["number"]
    ).number


def renew_whatsapp(_order: Order) -> str:
    """Ask for another code to scan."""
    agent = Agent.objects.get()
    services.renew_whatsapp(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def unlink_whatsapp(_order: Order) -> str:
    """Log the account out."""
    agent = Agent.objects.get()
    services.unlink_whatsapp(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def picture(_order: Order) -> str:
    """The code that the page shows now, "" without one."""
    link = WhatsAppLink.objects.first()
    return link.picture if link else ""


def offer_telegram(_order: Order) -> str:
    """Offer the agent a bot by link; the bot's name."""
    agent = Agent.objects.get()
    return services.offer_telegram(actor=agent.owner, door=Door.CLI, agent=agent).bot_username


def look_now(_order: Order) -> str:
    """What time does: the next look at every link is due."""
    for model in (TelegramLink, SlackLink, WhatsAppLink):
        model.objects.update(due_at=timezone.now())
    return "due"


def age_links(order: Order) -> str:
    """What time does: every code was given so many minutes ago."""
    past = timedelta(minutes=int(order["minutes"]))
    for model in (TelegramLink, SlackLink):
        for link in model.objects.all():
            model.objects.filter(pk=link.pk).update(asked_at=link.asked_at - past)
    for shown in WhatsAppLink.objects.exclude(began_at=None):
        assert shown.began_at
        WhatsAppLink.objects.filter(pk=shown.pk).update(began_at=shown.began_at - past)
    return look_now(order)


CHANNEL_VERBS: Mapping[str, Callable[[Order], str]] = {
    "age_links": age_links,
    "link_slack": link_slack,
    "link_whatsapp": link_whatsapp,
    "look_now": look_now,
    "offer_telegram": offer_telegram,
    "picture": picture,
    "renew_whatsapp": renew_whatsapp,
    "unlink_slack": unlink_slack,
    "unlink_whatsapp": unlink_whatsapp,
}
