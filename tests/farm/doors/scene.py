"""An account with everything in it that a route can be about, and everybody who may knock."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from farm.accounts.models import Door, Membership, Role, User
from farm.accounts.permissions import Action, Standing, allowed
from farm.accounts.services import NewInvitation, account_of
from farm.accounts.tokens import Scope, make_token
from farm.agents.models import (
    Agent,
    Backup,
    BackupKey,
    BackupKind,
    BackupState,
    BudgetRequest,
    Message,
    SharedKey,
    WhatsAppLink,
)
from farm.agents.passes import edge_of, mark_written
from farm.agents.services import come_in, hash_of, invite, link_of, new_secret, open_door
from farm.billing.customer_rows import Customer, Paper, TopUp
from farm.billing.models import Payer
from farm.billing.payers import default_payer
from tests.farm.web import scenes
from tests.farm.web.conftest import logged_in

S = Standing


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who knocks, and how they stand to the account and to the agent in it."""

    name: str
    user: User | None
    in_account: frozenset[Standing]
    at_agent: frozenset[Standing]

    @property
    def is_proxy(self) -> bool:
        """Whether they know the word of the edge."""
        return S.PROXY in self.in_account

    @property
    def is_founder(self) -> bool:
        """Whether they know the token that the installation printed."""
        return S.FOUNDER in self.in_account

    def may(self, action: Action, *, about_agent: bool) -> bool:
        """What the table says of them."""
        return allowed(action, self.at_agent if about_agent else self.in_account)

    @property
    def is_outside(self) -> bool:
        """Whether they must not even learn that the account exists."""
        return self.in_account <= {S.STRANGER, S.NOBODY, S.FOUNDER, S.PROXY}


@dataclass(frozen=True, slots=True)
class Scene:
    """Everybody, and what stands for the names in a path."""

    callers: tuple[Caller, ...]
    of_account: Mapping[str, str]
    of_agent: Mapping[str, str]
    at_edge: AtEdge


@dataclass(frozen=True, slots=True)
class AtEdge:
    """The browser of an agent's keeper at its host: what it holds, and codes to come in by."""

    agent: Agent
    session: str
    knock: str
    visit: str

    def code(self) -> str:
        """A new one: none is good for longer than a minute."""
        return _code(self.agent, self.session, self.knock)


def scene() -> Scene:
    """Max has a running agent in Olivia's account; Sam owns an account of his own."""
    people = {
        name: scenes.person(name) for name in ("olivia", "adam", "max", "mia", "sam", "oscar")
    }
    account = account_of(user=people["olivia"])
    account_of(user=people["sam"])
    for name, role in (("adam", Role.ADMIN), ("max", Role.MEMBER), ("mia", Role.MEMBER)):
        Membership.objects.create(account=account, user=people[name], role=role)
    User.objects.filter(pk=people["oscar"].pk).update(is_superuser=True)
    people["oscar"].refresh_from_db()
    for person in people.values():
        person.set_password("a password of their own")
        person.save()
    agent = scenes.running(scenes.agent(people["max"]))
    return Scene(
        callers=tuple(_callers(people)),
        of_account=_of_account(agent, people),
        of_agent=_of_agent(agent),
        at_edge=_at_edge(agent),
    )


def _callers(people: Mapping[str, User]) -> list[Caller]:
    standings: Mapping[str, tuple[Set[Standing], Set[Standing]]] = {
        "sam": ({S.STRANGER}, {S.STRANGER}),
        "mia": ({S.MEMBER}, {S.MEMBER}),
        "max": ({S.MEMBER}, {S.MEMBER, S.KEEPER}),
        "adam": ({S.ADMIN}, {S.ADMIN}),
        "olivia": ({S.OWNER}, {S.OWNER}),
        "oscar": ({S.OPERATOR}, {S.OPERATOR}),
    }
    without_account = {"nobody": S.NOBODY, "the founder": S.FOUNDER, "caddy": S.PROXY}
    callers = [
        Caller(name, None, frozenset({standing}), frozenset({standing}))
        for name, standing in without_account.items()
    ]
    for name, (in_account, at_agent) in standings.items():
        callers.append(Caller(name, people[name], frozenset(in_account), frozenset(at_agent)))
    return callers


def _of_account(agent: Agent, people: Mapping[str, User]) -> Mapping[str, str]:
    account, now = agent.account, timezone.now()
    offer = NewInvitation(most_uses=9)
    opened = invite(actor=people["olivia"], door=Door.CLI, account=account, offer=offer)
    payer = default_payer(account)
    key = SharedKey.objects.create(
        account=account,
        name="Ours",
        provider="openai",
        model="m",
        key="sk-shared",
        monthly_micros=5_000_000,
        created_at=now,
    )
    Agent.objects.filter(pk=agent.pk).update(shared_key=key, ai_budget_micros=5_000_000)
    return {
        "account": account.uid,
        "payer": payer.uid,
        "username": people["mia"].username,
        "invitation": opened.invitation.uid,
        "token": link_of(opened).rstrip("/").rpartition("/")[2],
        "key": key.uid,
        "month": f"{now:%Y-%m}",
        "form": "statement.csv",
        "agent_uid": agent.uid,
        **_of_payer(payer),
    }


def _of_payer(payer: Payer) -> Mapping[str, str]:
    """Something paid in, and its invoice; nothing is collected from this payer any more."""
    now = timezone.now()
    customer = Customer.objects.create(payer=payer, email="olivia@example.org", stage_at=now)
    top_up = TopUp.objects.create(customer=customer, cents=2_000, asked_at=now)
    paper = Paper.objects.create(
        customer=customer,
        reference="in_1",
        sort=Paper.Sort.INVOICE,
        status="paid",
        net_cents=2_000,
        tax_cents=0,
        total_cents=2_000,
        pdf="https://example.org/in_1.pdf",
        at=now,
    )
    return {"top_up_uid": top_up.uid, "top_up": top_up.uid, "paper": paper.reference}


def _of_agent(agent: Agent) -> Mapping[str, str]:
    now = timezone.now()
    message = Message.objects.create(
        agent=agent,
        author=Message.Author.MEMBER,
        text="Hello?",
        at=now,
        state=Message.State.FAILED,
    )
    key = BackupKey.objects.create(
        account=agent.account, created_at=now, public="age1", private="x"
    )
    backup = Backup.objects.create(
        agent=agent,
        kind=BackupKind.DEMAND,
        state=BackupState.KEPT,
        asked_at=now,
        made_at=now,
        expires_at=now + timedelta(days=9),
        key=key,
    )
    asked = BudgetRequest.objects.create(
        agent=agent, asked_by=agent.owner, asked_at=now, step_micros=5_000_000
    )
    WhatsAppLink.objects.create(
        agent=agent,
        number="+33600000000",
        state=WhatsAppLink.State.WAITING,
        asked_at=now,
        picture="data:image/png;base64,iVBORw0KGgo=",
    )
    return {
        "uid": agent.uid,
        "host": agent.host,
        "pk": str(message.pk),
        "backup": backup.uid,
        "request": asked.uid,
    }


def _at_edge(agent: Agent) -> AtEdge:
    """Its gateway knows its keeper, whose browser is in."""
    mark_written(agent, edge_of(agent))
    session, knock = str(logged_in(agent.owner).session.session_key), new_secret()
    entrance = come_in(code=_code(agent, session, knock), knock=knock, host=agent.host)
    return AtEdge(agent, session, knock, entrance.cookie)


def _code(agent: Agent, session: str, knock: str) -> str:
    return open_door(
        actor=agent.owner,
        door=Door.WEB,
        agent=agent,
        session_key=session,
        knock_hash=hash_of(knock),
        path="/",
    )


def token_of(caller: Caller) -> str:
    """A token of theirs that may do everything a token can."""
    assert caller.user
    made = make_token(actor=caller.user, door=Door.CLI, name="walk", scopes=tuple(Scope), days=1)
    return made.text
