"""Fills a site's database with agents in every state, and says where they are.

A program of its own, run with the site's environment: `manage.py shell` reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from farm.accounts.models import Door, Invitation, User
from farm.accounts.services import NewInvitation, Opened, add_invitation
from farm.agents.models import (
    Agent,
    AgentPhase,
    Message,
    OperationKind,
    SharedKey,
    SlackLink,
    TelegramLink,
    WhatsAppLink,
)
from farm.agents.services.invitations import checked_offer
from tests.browser.wallet_stage import wallets
from tests.farm.web import scenes, sleep_scenes
from tests.farm.web.channel_scenes import slack, whatsapp

Author, State, Link = Message.Author, Message.State, TelegramLink.State
HOSTILE = (
    "<script>document.title='taken'</script> <img src=x onerror=alert(1)>\n"
    "Voici vos notes :\n  - **rien** n'est mis en forme\n  - https://example.org/" + "a" * 120
)


def play() -> str:
    """Make every row; the uids of agents by state and the sessions of people, as JSON."""
    scenes.prices(but="finland")
    sleep_scenes.copy_prices()
    people = scenes.people()
    sessions = {"alice": people.alice, "bob": people.bob, "zoe": scenes.person("zoe")}
    money = wallets()
    for name in ("wanda", "dora"):
        sessions[name] = User.objects.get(email=f"{name}@example.org")
    return json.dumps(
        {
            "agents": {name: agent.uid for name, agent in _agents(people).items()},
            "sessions": {name: session_of(user) for name, user in sessions.items()},
            "account": people.account.uid,
            "invitations": _invitations(people),
            "money": money,
        }
    )


def _agents(people: scenes.People) -> dict[str, Agent]:
    owner = people.alice
    theirs = scenes.running(scenes.agent(people.bob, "Théo"))

    def new(name: str) -> Agent:
        return scenes.agent(owner, name)

    slow = scenes.waiting(new("Iris"), done=1, reason="sold_out")
    scenes.telegram(slow, Link.WAITING)
    failed = scenes.failed(new("Basile"), detail="hetzner: server_error (req-7c1)")
    unlinked = scenes.running(new("Maya"))
    scenes.telegram(unlinked, Link.EXPIRED)
    slack(unlinked, SlackLink.State.WAITING)
    whatsapp(unlinked, WhatsAppLink.State.WAITING)
    return {
        "bobs": theirs,
        "unlinked": unlinked,
        "placing": new("Olive"),
        "waiting": scenes.waiting(new("Hugo"), done=3),
        "held": slow,
        "failed": failed,
        "hello_fr": scenes.running(new("Nino")),
        "hello_en": scenes.running(scenes.agent(owner, "Nino", language="en")),
        "talking": _talking(scenes.running(new("Rose"))),
        "leaving": scenes.deleting(scenes.running(new("Pia"))),
        "gone": scenes.gone(scenes.running(new("Ulysse"))),
        **_sleepers(new),
    }


def _sleepers(new: Callable[[str], Agent]) -> dict[str, Agent]:
    """Asleep, waking, moving, awake by its hours, and one whose change came to nothing."""
    hours = sleep_scenes.placed(scenes.running(new("Lou")))
    sleep_scenes.with_hours(hours, quiet_days="2099-12-24 2099-12-25", idle_hours=1)
    moving = scenes.running(new("Noé"))
    sleep_scenes.changing(moving, OperationKind.MOVE, AgentPhase.RUNNING)
    stayed = scenes.running(new("Eva"))
    sleep_scenes.came_to_nothing(stayed, OperationKind.RESIZE, "rejected")
    return {
        "asleep": sleep_scenes.asleep(scenes.running(new("Léon"))),
        "waking": sleep_scenes.waking(scenes.running(new("Jade"))),
        "moving": moving,
        "hours": hours,
        "stayed": stayed,
    }


def _invitations(people: scenes.People) -> dict[str, str]:
    """Paths: one that many may take up, one for an address, and one of each that opens nothing."""
    SharedKey.objects.create(
        account=people.account,
        name="Anthropic",
        provider="anthropic",
        model="claude-sonnet-4-6",
        key="kept-from-pages",
        monthly_micros=20_000_000,
        created_at=timezone.now(),
    )
    offers = {
        "link": NewInvitation(most_uses=50),
        "expired": NewInvitation(),
        "revoked": NewInvitation(),
        **{f"mail_{n}": NewInvitation(email=f"dora{n}@example.org") for n in range(4)},
    }
    opened = {name: _invited(people, offer) for name, offer in offers.items()}
    Invitation.objects.filter(pk=opened["expired"].invitation.pk).update(expires_at=timezone.now())
    Invitation.objects.filter(pk=opened["revoked"].invitation.pk).update(revoked_at=timezone.now())
    return {name: f"/invitations/{one.token}/" for name, one in opened.items()}


def _invited(people: scenes.People, offer: NewInvitation) -> Opened:
    """As its service checks it, without the mail that nobody here would take."""
    checked = checked_offer(people.alice, people.account, offer)
    return add_invitation(actor=people.alice, door=Door.WEB, account=people.account, offer=checked)


def _talking(agent: Agent) -> Agent:
    """Every way a line can stand; Telegram is linked."""
    scenes.telegram(agent, Link.LINKED)
    slack(agent, SlackLink.State.LINKED)
    whatsapp(agent, WhatsAppLink.State.LOGGED_OUT)
    scenes.says(agent, Author.MEMBER, "Qu'y a-t-il dans mes notes ?")
    scenes.says(agent, Author.AGENT, HOSTILE)
    scenes.says(agent, Author.MEMBER, "Résume le contrat", State.FAILED, "turn_failed")
    scenes.says(agent, Author.MEMBER, "Envoie la lettre", State.UNKNOWN, "turn_interrupted")
    scenes.says(agent, Author.MEMBER, "Et demain ?", State.SENT)
    return agent


def session_of(user: User) -> str:
    """The key of a session in which that person is logged in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)
