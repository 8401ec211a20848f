"""The table of permissions: complete, and what everything else rests on."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from farm.accounts.models import Account, Membership, Role, User
from farm.accounts.permissions import TABLE, Action, Standing, allowed, demand, standings_in
from farm.agents.selectors.rights import standings_at
from tests.farm.web import scenes

S, A = Standing, Action


def test_every_action_has_its_line() -> None:
    assert set(TABLE) == set(Action)


@pytest.mark.parametrize("action", [a for a in Action if a is not A.SIGN_UP])
def test_nobody_gets_in_without_logging_in(action: Action) -> None:
    assert not allowed(action, {S.NOBODY})


@pytest.mark.parametrize("action", [a for a in Action if a not in (A.SIGN_UP, A.OPEN_ACCOUNT)])
def test_a_stranger_may_nothing_in_an_account(action: Action) -> None:
    assert not allowed(action, {S.STRANGER})


@pytest.mark.parametrize(
    "action", [A.READ_CONVERSATION, A.SPEAK, A.OPEN_CONSOLE, A.LINK_CHANNEL, A.RESTORE_AGENT]
)
def test_what_is_said_is_its_keepers_alone(action: Action) -> None:
    assert TABLE[action] == {S.KEEPER}


def test_an_admin_may_nothing_that_an_owner_may_not() -> None:
    assert all(S.OWNER in who for who in TABLE.values() if S.ADMIN in who)
    assert all(S.ADMIN in who for who in TABLE.values() if S.MEMBER in who)
    assert S.ADMIN not in TABLE[A.MANAGE_OWNERS]


def test_how_people_stand(people: scenes.People) -> None:
    agent = scenes.agent(people.alice)
    assert standings_in(people.alice, people.account) == {S.OWNER}
    assert standings_at(people.alice, agent) == {S.OWNER, S.KEEPER}
    assert standings_at(people.bob, agent) == {S.MEMBER}
    assert standings_at(people.charlie, agent) == {S.STRANGER}
    Membership.objects.filter(user=people.alice).delete()
    assert standings_at(people.alice, agent) == {S.STRANGER}


def test_the_operator_is_no_member(people: scenes.People) -> None:
    people.charlie.is_superuser = True
    assert standings_in(people.charlie, people.account) == {S.OPERATOR}
    demand(people.charlie, A.OPERATE_FARM)
    with pytest.raises(PermissionDenied):
        demand(people.alice, A.OPERATE_FARM)


def test_a_role_in_one_account_counts_in_no_other(people: scenes.People) -> None:
    other = Account.objects.create(name="Other")
    Membership.objects.create(
        account=other, user=User.objects.get(pk=people.bob.pk), role=Role.OWNER
    )
    assert standings_in(people.bob, people.account) == {S.MEMBER}
