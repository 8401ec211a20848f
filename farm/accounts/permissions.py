"""The one table of who may do what; every service demands by it, every door asks it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum

from django.core.exceptions import PermissionDenied

from farm.accounts.models import Account, Role, User


class Standing(StrEnum):
    """How somebody stands to an account, or to an agent in it; one person may stand several ways.

    A keeper is the member whom an agent is for, as long as they are a member. The last three are
    no people: who came in by the token that the installation printed, an agent's present machine
    with the agent's own living key, and the farm's own proxy, known by the word they share.
    """

    OPERATOR = "operator"
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    KEEPER = "keeper"
    STRANGER = "stranger"
    NOBODY = "nobody"

    FOUNDER = "founder"
    MACHINE = "machine"
    PROXY = "proxy"


class Action(StrEnum):
    """Everything that somebody may be allowed to do."""

    SIGN_UP = "sign up"
    OPEN_ACCOUNT = "open account"
    OPERATE_FARM = "operate farm"
    SET_UP_FARM = "set up farm"
    CALL_MODEL = "call model"
    ASK_THE_WAY = "ask the way"

    SEE_ACCOUNT = "see account"
    RENAME_ACCOUNT = "rename account"
    LEAVE_ACCOUNT = "leave account"
    CREATE_AGENT = "create agent"
    MANAGE_PEOPLE = "manage people"
    MANAGE_OWNERS = "manage owners"
    MANAGE_KEYS = "manage keys"
    MANAGE_MONEY = "manage money"
    SEE_OWN_MONEY = "see own money"

    SEE_AGENT = "see agent"
    MANAGE_AGENT = "manage agent"
    PAY_AGENT = "pay agent"
    BACK_UP_AGENT = "back up agent"
    CUT_OFF_CHANNEL = "cut off channel"
    READ_CONVERSATION = "read conversation"
    SPEAK = "speak"
    OPEN_CONSOLE = "open console"
    LINK_CHANNEL = "link channel"
    RESTORE_AGENT = "restore agent"
    TRANSFER_AGENT = "transfer agent"
    REACH_MACHINE = "reach machine"


S, A = Standing, Action
EVERYBODY = frozenset(Standing)
PEOPLE = EVERYBODY - {S.NOBODY, S.FOUNDER, S.MACHINE, S.PROXY}
OPERATOR = frozenset({S.OPERATOR})
OWNERS = OPERATOR | {S.OWNER}
ANSWERING = OWNERS | {S.ADMIN}
MEMBERS = frozenset({S.OWNER, S.ADMIN, S.MEMBER})
ANSWERING_OR_KEEPER = ANSWERING | {S.KEEPER}
KEEPER = frozenset({S.KEEPER})

# What is said to an agent is its keeper's alone, and whatever shows it too: its console, a chat app
# that it answers in, a restored copy of it. An agent whose keeper left is handed over first.
# Signing up and opening an account depend on the setting SIGN_UP besides.
TABLE: Mapping[Action, frozenset[Standing]] = {
    A.SIGN_UP: EVERYBODY,
    A.OPEN_ACCOUNT: PEOPLE,
    A.OPERATE_FARM: OPERATOR,
    A.SET_UP_FARM: frozenset({S.FOUNDER}),
    A.CALL_MODEL: frozenset({S.MACHINE}),
    A.ASK_THE_WAY: frozenset({S.PROXY}),
    A.SEE_ACCOUNT: OPERATOR | MEMBERS,
    A.RENAME_ACCOUNT: OWNERS,
    A.LEAVE_ACCOUNT: MEMBERS,
    A.CREATE_AGENT: OPERATOR | MEMBERS,
    A.MANAGE_PEOPLE: ANSWERING,
    A.MANAGE_OWNERS: OWNERS,
    A.MANAGE_KEYS: ANSWERING,
    A.MANAGE_MONEY: ANSWERING,
    A.SEE_OWN_MONEY: OPERATOR | MEMBERS,
    A.SEE_AGENT: ANSWERING_OR_KEEPER,
    A.MANAGE_AGENT: ANSWERING_OR_KEEPER,
    A.PAY_AGENT: ANSWERING,
    A.BACK_UP_AGENT: ANSWERING_OR_KEEPER,
    A.CUT_OFF_CHANNEL: ANSWERING_OR_KEEPER,
    A.READ_CONVERSATION: KEEPER,
    A.SPEAK: KEEPER,
    A.OPEN_CONSOLE: KEEPER,
    A.LINK_CHANNEL: KEEPER,
    A.RESTORE_AGENT: KEEPER,
    A.TRANSFER_AGENT: KEEPER,
    A.REACH_MACHINE: OPERATOR,
}
# What more may be done with an agent once the person it was for has left the account.
LEFT_BEHIND: Mapping[Action, frozenset[Standing]] = {A.TRANSFER_AGENT: ANSWERING}


def allowed(action: Action, standings: Set[Standing]) -> bool:
    """Whether somebody who stands in one of these ways may do it."""
    return not TABLE[action].isdisjoint(standings)


def standings_in(actor: User, account: Account | None) -> frozenset[Standing]:
    """How the actor stands to the account; without one, only whether they run the farm."""
    found: set[Standing] = {S.OPERATOR} if actor.is_superuser else set()
    if account and (role := role_in(actor, account)):
        found.add(Standing(role))
    return frozenset(found or {S.STRANGER})


def role_in(actor: User, account: Account) -> Role | None:
    """The actor's role there; None for who is no member."""
    membership = account.memberships.filter(user=actor).first()
    return Role(membership.role) if membership else None


def may(actor: User, action: Action, account: Account | None = None) -> bool:
    """Whether the actor may do it, in that account if it is about one."""
    return allowed(action, standings_in(actor, account))


def demand(actor: User, action: Action, account: Account | None = None) -> None:
    """PermissionDenied unless the table allows it."""
    if not may(actor, action, account):
        raise PermissionDenied(action)


def demanded_for(*roles: Role) -> Action:
    """What somebody must be allowed who gives or takes these roles."""
    return Action.MANAGE_OWNERS if Role.OWNER in roles else Action.MANAGE_PEOPLE
