"""An account's pages: who may look, who may change whom, and what becomes of agents."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from farm.accounts.models import Account, AuditEntry, Invitation, Membership, Role, User
from farm.agents.models import Agent, Message, TelegramLink
from tests.farm.web import scenes
from tests.farm.web.conftest import logged_in
from tests.farm.web.guests import invite, latest, page


def team(people: scenes.People, path: str = "") -> str:
    """A path below Alice's account."""
    return f"/accounts/{people.account.uid}/{path}"


def member(people: scenes.People, user: User, path: str) -> str:
    """A path of one of its members."""
    return team(people, f"members/{user.username}/{path}/")


def role_of(user: User, account: Account) -> str:
    """Their role there, "" for none."""
    found = Membership.objects.filter(user=user, account=account).first()
    return found.role if found else ""


READS = ("", "leave/", "members/BOB/remove/", "invitations/new/")
WRITES = (
    "switch/",
    "name/",
    "leave/",
    "members/BOB/role/",
    "members/BOB/remove/",
    "invitations/new/",
    "invitations/INVITATION/revoke/",
)
FOR_MEMBERS = ("", "switch/", "leave/")
FIELDS = {"name": "Taken", "role": "owner", "email": "dora@example.org"}


def at(people: scenes.People, path: str) -> str:
    """The address, with whom it is about."""
    uid = latest().uid if "INVITATION" in path else ""
    return team(people, path.replace("BOB", people.bob.username).replace("INVITATION", uid))


@pytest.fixture
def invited(people: scenes.People, alice: Client) -> Invitation:
    """One that is open."""
    invite(alice, people.account)
    return latest()


def state_of(people: scenes.People) -> tuple[object, ...]:
    """What nobody may change who may not."""
    people.account.refresh_from_db()
    return (
        people.account.name,
        sorted(people.account.memberships.values_list("user__email", "role")),
        list(people.account.invitations.values_list("uid", "revoked_at")),
    )


@pytest.mark.parametrize("path", [*READS, *WRITES])
def test_a_stranger_finds_nothing(
    people: scenes.People, invited: Invitation, charlie: Client, path: str
) -> None:
    before = state_of(people)
    assert charlie.get(at(people, path)).status_code in (404, 405)
    assert charlie.post(at(people, path), FIELDS).status_code in (
        (404, 405) if not path else (404,)
    )
    assert state_of(people) == before


@pytest.mark.parametrize("path", [*READS, *WRITES])
def test_nobody_gets_in_without_logging_in(
    people: scenes.People, invited: Invitation, path: str
) -> None:
    before = state_of(people)
    answer = Client().post(at(people, path), FIELDS)
    assert answer["Location"].startswith("/account/login/?next=/accounts/")
    assert state_of(people) == before


@pytest.mark.parametrize("path", [path for path in WRITES if path not in FOR_MEMBERS])
def test_a_plain_member_may_not(
    people: scenes.People, invited: Invitation, bob: Client, path: str
) -> None:
    before = state_of(people)
    assert bob.post(at(people, path), FIELDS).status_code == 403
    assert state_of(people) == before


def test_a_plain_member_sees_who_is_in_it(people: scenes.People, bob: Client) -> None:
    text = page(bob, team(people))
    assert "Alice" in text
    assert "alice@example.org" not in text
    assert "Invite somebody" not in text


@pytest.mark.parametrize("path", WRITES)
def test_no_other_site_acts_in_a_persons_name(
    people: scenes.People, invited: Invitation, path: str
) -> None:
    before = state_of(people)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.alice, "allauth.account.auth_backends.AuthenticationBackend")
    assert browser.post(at(people, path), FIELDS).status_code == 403
    assert state_of(people) == before


def test_the_owner_makes_an_admin_and_an_admin_makes_no_owner(
    people: scenes.People, alice: Client, bob: Client
) -> None:
    alice.post(member(people, people.bob, "role"), {"role": "admin"})
    assert role_of(people.bob, people.account) == Role.ADMIN
    assert bob.post(member(people, people.bob, "role"), {"role": "owner"}).status_code == 403
    assert bob.post(member(people, people.alice, "role"), {"role": "member"}).status_code == 403
    assert bob.post(member(people, people.alice, "remove")).status_code == 403
    fields = {"email": "dora@example.org", "role": "owner"}
    assert bob.post(team(people, "invitations/new/"), fields).status_code == 403
    assert not Invitation.objects.exists()
    assert role_of(people.alice, people.account) == Role.OWNER
    assert "owner" not in page(bob, team(people, "invitations/new/"))
    entry = AuditEntry.objects.get(verb="make admin")
    assert (entry.actor, entry.subject) == (people.alice, people.bob.username)


def test_an_admin_invites_members(people: scenes.People, alice: Client, bob: Client) -> None:
    alice.post(member(people, people.bob, "role"), {"role": "admin"})
    invite(bob, people.account, email="dora@example.org", role="admin")
    assert latest().inviter == people.bob


def test_an_account_keeps_an_owner(people: scenes.People, alice: Client) -> None:
    for path, fields in (
        (member(people, people.alice, "role"), {"role": "member"}),
        (member(people, people.alice, "remove"), {}),
        (team(people, "leave/"), {}),
    ):
        answer = alice.post(path, fields, follow=True)
        assert "An account keeps at least one owner" in answer.content.decode()
        assert role_of(people.alice, people.account) == Role.OWNER


def test_leaving(people: scenes.People, bob: Client) -> None:
    agent = scenes.running(_agent_in(people, people.bob))
    assert "Your agents stay with the account" in page(bob, team(people, "leave/"))
    bob.post(team(people, "leave/"))
    assert role_of(people.bob, people.account) == ""
    assert bob.get(team(people)).status_code == 404
    assert bob.get(f"/agents/{agent.uid}/").status_code == 404


def _agent_in(people: scenes.People, owner: User, name: str = "Nino") -> Agent:
    row = scenes.agent(people.alice, name)
    Agent.objects.filter(pk=row.pk).update(owner=owner)
    row.refresh_from_db()
    return row


def test_an_agent_outlives_its_persons_membership(people: scenes.People, alice: Client) -> None:
    agent = scenes.running(_agent_in(people, people.bob))
    scenes.telegram(agent, TelegramLink.State.LINKED)
    token, generation = agent.gateway_token, agent.generation
    assert agent.name in page(alice, member(people, people.bob, "remove"))
    alice.post(member(people, people.bob, "remove"))
    agent.refresh_from_db()
    assert agent.owner == people.bob
    assert agent.gateway_token != token
    assert agent.generation > generation
    assert not TelegramLink.objects.filter(agent=agent).exists()
    text = page(alice, team(people))
    assert "Agents of people who left" in text
    assert f"/agents/{agent.uid}/transfer/" in text


def test_a_left_agent_is_handed_over(people: scenes.People, alice: Client) -> None:
    agent = scenes.running(_agent_in(people, people.bob))
    alice.post(member(people, people.bob, "remove"))
    where = f"/agents/{agent.uid}/transfer/"
    assert "Choose who gets it" in alice.post(where, {"to": "nobody"}).content.decode()
    answer = alice.post(where, {"to": people.alice.username})
    assert answer["Location"] == f"/agents/{agent.uid}/"
    agent.refresh_from_db()
    assert agent.owner == people.alice
    assert "It was handed over" in page(alice, f"/agents/{agent.uid}/")


def test_nobody_takes_an_agent_whose_person_is_there(
    people: scenes.People, alice: Client, bob: Client
) -> None:
    agent = scenes.running(_agent_in(people, people.bob))
    where = f"/agents/{agent.uid}/transfer/"
    assert alice.get(where).status_code == 403
    assert alice.post(where, {"to": people.alice.username}).status_code == 403
    assert bob.post(where, {"to": people.alice.username}).status_code == 302
    agent.refresh_from_db()
    assert agent.owner == people.alice
    assert bob.get(f"/agents/{agent.uid}/").status_code == 404


def test_who_answers_for_the_account_reads_no_conversation(
    people: scenes.People, alice: Client
) -> None:
    agent = scenes.running(_agent_in(people, people.bob))
    scenes.says(agent, Message.Author.MEMBER, "My salary is a secret")
    text = page(alice, f"/agents/{agent.uid}/")
    assert "works for Bob" in text
    assert "secret" not in text
    for path, fields in (
        ("conversation/", None),
        ("open/", None),
        ("telegram/", None),
        ("say/", {"text": "hello"}),
        ("telegram/link/", {"telegram_bot_token": "1:x"}),
    ):
        ask = alice.get if fields is None else alice.post
        answer = ask(f"/agents/{agent.uid}/{path}", fields)
        assert answer.status_code == 403, path
        assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("state", ["waiting", "failed", "deleting", "gone"])
def test_in_no_state_of_an_agent(people: scenes.People, alice: Client, state: str) -> None:
    agent = _agent_in(people, people.bob)
    scenes.says(agent, Message.Author.MEMBER, "My salary is a secret")
    if state == "waiting":
        scenes.waiting(agent, done=1)
    else:
        {"failed": scenes.failed, "deleting": scenes.deleting, "gone": scenes.gone}[state](agent)
    answer = alice.get(f"/agents/{agent.uid}/")
    assert answer.status_code == 200
    assert "secret" not in answer.content.decode()


def test_every_look_of_another_is_listed(people: scenes.People, alice: Client, bob: Client) -> None:
    agent = scenes.running(_agent_in(people, people.bob))
    assert "Nobody else was here." in page(bob, f"/agents/{agent.uid}/")
    for _ in range(3):
        alice.get(f"/agents/{agent.uid}/")
    text = page(bob, f"/agents/{agent.uid}/")
    assert "1 access by others" in text
    assert "Alice looked at its page" in text
    assert AuditEntry.objects.filter(subject=agent.uid, actor=people.alice).count() == 1


def test_the_operator_is_listed_too(people: scenes.People, bob: Client) -> None:
    agent = scenes.running(_agent_in(people, people.bob))
    User.objects.filter(pk=people.charlie.pk).update(is_superuser=True)
    operator = logged_in(User.objects.get(pk=people.charlie.pk))
    assert operator.get(f"/agents/{agent.uid}/").status_code == 200
    assert operator.get(f"/agents/{agent.uid}/conversation/").status_code == 403
    assert "Charlie looked at its page" in page(bob, f"/agents/{agent.uid}/")


def test_an_invitation_is_taken_back(
    people: scenes.People, alice: Client, invited: Invitation
) -> None:
    alice.post(team(people, f"invitations/{invited.uid}/revoke/"))
    invited.refresh_from_db()
    assert invited.revoked_at is not None
    assert "taken back" in page(alice, team(people))


def test_another_accounts_invitation_is_not(
    people: scenes.People, alice: Client, charlie: Client
) -> None:
    own = Account.objects.get(members=people.charlie)
    invite(charlie, own)
    answer = alice.post(team(people, f"invitations/{latest().uid}/revoke/"))
    assert answer.status_code == 404
    assert latest().revoked_at is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("email", "bob@example.org"),
        ("days", "0"),
        ("days", "4000"),
        ("most_uses", "-1"),
        ("most_uses", "x"),
        ("plan", "huge"),
        ("blueprint", "none"),
        ("region", "moon"),
        ("payer_uid", "nobody"),
        ("shared_key_uid", "nothing"),
        ("budget", "-3"),
        ("role", "king"),
        ("cost_centre", "x" * 41),
    ],
)
def test_a_wrong_word_is_told_at_its_field_and_nothing_is_lost(
    people: scenes.People, alice: Client, field: str, value: str
) -> None:
    fields = {"email": "dora@example.org", "cost_centre": "R&D", field: value}
    answer = alice.post(team(people, "invitations/new/"), fields)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="{field}_error"' in text
    kept = "R&amp;D" if field != "cost_centre" else "dora@example.org"
    assert kept in text
    assert not Invitation.objects.exists()


def test_two_accounts_are_two_worlds(people: scenes.People, charlie: Client) -> None:
    Membership.objects.create(account=people.account, user=people.charlie, role=Role.ADMIN)
    scenes.agent(people.alice, "Hers")
    assert "Hers" not in page(charlie, "/agents/")
    charlie.post(team(people, "switch/"))
    assert "Hers" in page(charlie, "/agents/")
    text = page(charlie, "/account/")
    assert "you are here" in text
    assert "Go there" in text


def test_a_new_agent_goes_to_the_account_one_is_in(
    people: scenes.People, charlie: Client, settings: Settings
) -> None:
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:9/v1"
    settings.SANDBOX_MODEL = "sandbox-1"
    Membership.objects.create(account=people.account, user=people.charlie, role=Role.MEMBER)
    charlie.post(team(people, "switch/"))
    charlie.post("/agents/new/", {"name": "Iris"})
    assert Agent.objects.get().account == people.account


def test_a_further_account(people: scenes.People, alice: Client) -> None:
    answer = alice.post("/accounts/new/", {"name": "Second"})
    second = Account.objects.get(name="Second")
    assert answer["Location"] == f"/accounts/{second.uid}/"
    assert role_of(people.alice, second) == Role.OWNER
    refused = alice.post("/accounts/new/", {"name": " "}, follow=True).content.decode()
    assert "Give the account a name" in refused
    assert Account.objects.filter(members=people.alice).count() == 2


def test_the_owner_names_the_account(people: scenes.People, alice: Client) -> None:
    alice.post(team(people, "name/"), {"name": "  Atelier  Nord "})
    people.account.refresh_from_db()
    assert people.account.name == "Atelier Nord"
    answer = alice.post(team(people, "name/"), {"name": "x" * 81})
    assert answer.status_code == 422
    assert 'id="name_error"' in answer.content.decode()


def test_so_many_agents_and_no_more(
    people: scenes.People, alice: Client, settings: Settings
) -> None:
    settings.AGENTS_PER_PERSON = 2
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:9/v1"
    settings.SANDBOX_MODEL = "sandbox-1"
    scenes.agent(people.alice, "One")
    scenes.gone(scenes.running(scenes.agent(people.alice, "Gone")))
    assert alice.post("/agents/new/", {"name": "Two"}).status_code == 302
    refused = page(alice, "/agents/new/")
    assert "You have as many agents as one person may have" in refused
    alice.post("/agents/new/", {"name": "Three"})
    assert Agent.objects.filter(deleted_at=None).count() == 2
    User.objects.filter(pk=people.alice.pk).update(is_superuser=True)
    assert alice.post("/agents/new/", {"name": "Three"}).status_code == 302
