"""Which agents a person may see, and what there is to read about one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.conf import settings
from django.db.models import Q, QuerySet

from farm.accounts.models import Account, Role, User
from farm.accounts.permissions import Action
from farm.agents.models import Agent, AgentPhase, Message, OperationKind, OperationState
from farm.agents.selectors.rights import may_with
from farm.agents.sentences import Sentence, sentence_for
from farm.catalog import Words, catalog


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One event in people's words."""

    at: datetime
    code: str
    sentence: Sentence
    detail: str


def agents_of(
    user: User, *, deleted: bool = False, account: Account | None = None
) -> QuerySet[Agent]:
    """The agents a person may see, newest first: their own, and all of accounts they answer for.

    Deleted ones are left out unless asked for; with `account` only those in it are meant.
    """
    answers_for = user.memberships.filter(role__in=(Role.OWNER, Role.ADMIN)).values("account")
    member_of = user.memberships.values("account")
    mine = Q(owner=user, account__in=member_of) | Q(account__in=answers_for)
    agents = Agent.objects.filter(mine).select_related("owner", "account").order_by("-pk")
    if account:
        agents = agents.filter(account=account)
    return agents if deleted else agents.exclude(phase=AgentPhase.DELETED)


def agent_for(user: User, uid: str, action: Action = Action.SEE_AGENT) -> Agent:
    """An agent with which they may do this, deleted or not; Agent.DoesNotExist for any other."""
    agent = Agent.objects.select_related("owner", "account").get(uid=uid)
    if not may_with(user, agent, action):
        raise Agent.DoesNotExist(uid)
    return agent


def living_agents_in(account: Account, person: User) -> QuerySet[Agent]:
    """The person's agents in the account that are not gone or going."""
    return account.agents.filter(owner=person).exclude(wanted=Agent.Wanted.DELETED).order_by("pk")


def left_behind_in(account: Account) -> QuerySet[Agent]:
    """Agents of people who left the account: somebody has to take them, or delete them."""
    living = account.agents.exclude(wanted=Agent.Wanted.DELETED)
    here = account.memberships.values("user")
    return living.exclude(owner__in=here).select_related("owner").order_by("pk")


def has_room(person: User) -> bool:
    """Whether the person may have one more agent; the operator always may."""
    living = person.agents.exclude(phase=AgentPhase.DELETED)
    return person.is_superuser or living.count() < settings.AGENTS_PER_PERSON


def conversation_of(agent: Agent) -> QuerySet[Message]:
    """Every line of the chat, oldest first; an answer follows what it answers."""
    return agent.messages.order_by("at", "pk")


def suggestions_of(agent: Agent) -> tuple[str, ...]:
    """What its member may ask first, in the agent's language."""
    return catalog().blueprints.get(agent.blueprint).suggestions(agent.language)


def events_of(agent: Agent) -> Sequence[HistoryLine]:
    """Its history, oldest first."""
    return [
        HistoryLine(event.at, event.code, sentence_for(event.code), event.detail)
        for event in agent.events.all()
    ]


def ready_in_seconds(agent: Agent) -> int | None:
    """How long the latest making of it took; None while it was never made."""
    made = agent.operations.filter(kind=OperationKind.CREATE, state=OperationState.DONE).last()
    if made is None or made.ended_at is None:
        return None
    return int((made.ended_at - made.started_at).total_seconds())


def place_of(agent: Agent) -> Words:
    """Where its machine is, in people's words."""
    return catalog().regions.get(agent.region).name


def origin_of(agent: Agent) -> str:
    """Where its Control UI is opened: a host name of its own, never the farm's."""
    return settings.AGENT_URL.replace("{host}", agent.host)


def open_url_of(agent: Agent, user: User) -> str:
    """The address that opens its Control UI in one click; Agent.DoesNotExist unless it runs.

    The edge asks the site who comes. Without one a token stands in the fragment, which no server
    and no log ever sees.
    """
    running = agent_for(user, agent.uid, Action.OPEN_CONSOLE)
    if running.phase != AgentPhase.RUNNING:
        raise Agent.DoesNotExist(agent.uid)
    if settings.EDGE:
        return f"{origin_of(running)}/"
    return f"{origin_of(running)}/#token={quote(running.gateway_token)}"
