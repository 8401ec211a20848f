"""From an invitation to an agent on its way: mail and link, and what stands in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.accounts.models import Account, Invitation, Membership, Role, User
from farm.agents.models import Agent, Offer, SharedKey
from farm.billing.models import Assignment
from tests.farm.web import guests, scenes
from tests.farm.web.conftest import logged_in
from tests.farm.web.guests import invite, opened, page

BUDGET = 20_000_000


@pytest.fixture(autouse=True)
def own_model(settings: Settings) -> None:
    """The sandbox's model needs no key and is asked for nothing."""
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:9/v1"
    settings.SANDBOX_MODEL, settings.SANDBOX_MODEL_KEY = "sandbox-1", "key"


@pytest.fixture
def shared(people: scenes.People) -> SharedKey:
    """A model key that Alice's account shares."""
    return SharedKey.objects.create(
        account=people.account,
        name="Anthropic",
        provider="anthropic",
        model="claude-sonnet-4-6",
        key="sk-shared",
        monthly_micros=BUDGET,
        created_at=timezone.now(),
    )


def answer_question(guest: Client, **fields: str) -> Agent:
    """Press the button; the agent whose page that leads to."""
    answer = guest.post("/invitation/agent/", {"name": "Iris", **fields})
    assert answer.status_code == 302, answer.content.decode()
    return Agent.objects.get(uid=answer["Location"].split("/")[2])


def test_one_address_and_one_question_make_an_agent(
    people: scenes.People, alice: Client, shared: SharedKey
) -> None:
    guest = opened(invite(alice, people.account, email="Dora@example.org"))
    assert "Alice pays for hosting and AI, up to 20.00\xa0EUR of AI a month." in page(guest)
    assert guest.post("/invitation/")["Location"] == "/invitation/agent/"
    question = page(guest, "/invitation/agent/")
    assert "4 GB - Germany (Hetzner) - AI from Alice" in question
    assert "Create - 0 EUR for you" in question
    agent = answer_question(guest)
    dora = User.objects.get(email="dora@example.org")
    assert (agent.owner, agent.account, agent.shared_key) == (dora, people.account, shared)
    assert agent.ai_budget_micros == BUDGET
    assert Membership.objects.get(user=dora).role == Role.MEMBER
    assert Assignment.objects.get(agent_uid=agent.uid).payer.account == people.account
    assert guest.get(f"/agents/{agent.uid}/").status_code == 200


def test_it_reads_as_it_should_in_french(
    people: scenes.People, alice: Client, shared: SharedKey
) -> None:
    guest = opened(invite(alice, people.account, email="dora@example.org", language="fr"))
    sentence = "Alice t'offre un agent. Alice paie l'hébergement et l'IA, jusqu'à 20,00\xa0EUR d'IA"
    assert sentence in page(guest, language="fr")
    assert "Créer mon agent" in page(guest, language="fr")
    body = str(mail.outbox[-1].body)
    assert mail.outbox[-1].subject == "Alice t'offre un agent"
    assert sentence in body
    assert mail.outbox[-1].to == ["dora@example.org"]
    guest.post("/invitation/", headers={"accept-language": "fr"})
    question = page(guest, "/invitation/agent/", "fr")
    assert "4 Go - Allemagne (Hetzner) - IA fournie par Alice" in question
    assert "Créer - 0 EUR pour vous" in question


def test_a_link_asks_who_one_is_and_sends_a_code(people: scenes.People, alice: Client) -> None:
    guest = opened(invite(alice, people.account))
    assert guest.post("/invitation/")["Location"] == "/invitation/who/"
    assert not User.objects.filter(email="dora@example.org").exists()
    fields = {"email": "dora@example.org", "next": "/invitation/agent/"}
    assert 'action="/account/signup/"' in page(guest, "/invitation/who/")
    guest.post("/account/signup/", fields)
    answer = guest.post("/account/confirm-email/", {"code": guests.code()})
    assert answer["Location"] == "/invitation/agent/"
    assert answer_question(guest).owner.email == "dora@example.org"


def test_a_known_person_comes_in_as_always(people: scenes.People, alice: Client) -> None:
    guest = opened(invite(alice, people.account, email="charlie@example.org"))
    assert guest.post("/invitation/")["Location"] == "/invitation/who/"
    assert 'value="charlie@example.org"' in page(guest, "/invitation/who/")
    fields = {"login": "charlie@example.org", "next": "/invitation/agent/"}
    guest.post("/account/login/", fields)
    answer = guest.post("/account/login/code/confirm/", {"code": guests.code()})
    assert answer["Location"] == "/invitation/agent/"
    assert answer_question(guest).owner == people.charlie
    assert Membership.objects.filter(user=people.charlie).count() == 2


def test_the_link_in_a_mail_opens_the_door_once(people: scenes.People, alice: Client) -> None:
    path = invite(alice, people.account, email="dora@example.org")
    opened(path).post("/invitation/")
    again = opened(path)
    assert again.post("/invitation/")["Location"] == "/invitation/who/"
    assert again.get("/agents/").status_code == 302


def test_what_the_guest_chooses_counts_and_the_size_is_the_inviters(
    people: scenes.People, alice: Client
) -> None:
    path = invite(alice, people.account, email="d@example.org", blueprint="developer", plan="large")
    guest = opened(path)
    guest.post("/invitation/")
    question = page(guest, "/invitation/agent/")
    assert question.index('value="developer"') < question.index('value="assistant"')
    agent = answer_question(guest, blueprint="companion", region="finland", plan="small")
    assert (agent.blueprint, agent.plan, agent.region) == ("companion", "large", "finland")


def test_cost_centre_and_role_are_the_inviters(people: scenes.People, alice: Client) -> None:
    path = invite(alice, people.account, role="admin", cost_centre="R&D 7")
    guest = opened(path, logged_in(scenes.person("dora")))
    agent = answer_question(guest)
    assert Assignment.objects.get(agent_uid=agent.uid).cost_centre == "R&D 7"
    assert Membership.objects.get(user=agent.owner, account=people.account).role == Role.ADMIN


def test_joining_without_an_agent(people: scenes.People, alice: Client) -> None:
    guest = opened(invite(alice, people.account), logged_in(scenes.person("dora")))
    assert guest.post("/invitation/agent/", {"only_join": "yes"})["Location"] == "/agents/"
    assert not Agent.objects.exists()
    assert "Alice" in page(guest, "/agents/")


def test_a_wrong_answer_uses_nothing_up(people: scenes.People, alice: Client) -> None:
    guest = opened(invite(alice, people.account), logged_in(scenes.person("dora")))
    for wrong in ({"name": "admin"}, {"name": "Iris", "blueprint": "none"}):
        answer = guest.post("/invitation/agent/", wrong)
        assert answer.status_code == 422
        assert "_error" in answer.content.decode()
    assert guests.latest().taken == 0
    assert Membership.objects.filter(account=people.account).count() == 2
    assert answer_question(guest).name == "Iris"


def test_without_a_price_nothing_is_used_up(people: scenes.People, alice: Client) -> None:
    Offer.objects.all().delete()
    guest = opened(invite(alice, people.account), logged_in(scenes.person("dora")))
    answer = guest.post("/invitation/agent/", {"name": "Iris"})
    assert "Its price is not known yet" in answer.content.decode()
    assert guests.latest().taken == 0


def test_pressing_twice_leads_to_the_same_agent(people: scenes.People, alice: Client) -> None:
    path = invite(alice, people.account)
    guest = opened(path, logged_in(scenes.person("dora")))
    agent = answer_question(guest)
    for path_again in ("/invitation/", "/invitation/agent/"):
        assert opened(path, guest).get(path_again)["Location"] == f"/agents/{agent.uid}/"
    assert (
        opened(path, guest)
        .post("/invitation/agent/", {"name": "Two"})["Location"]
        .endswith(f"{agent.uid}/")
    )
    assert Agent.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "heading"),
    [
        ({"expires_at": timezone.now() - timedelta(days=1)}, "This invitation has run out"),
        ({"taken": 1}, "This invitation has been used"),
        ({"revoked_at": timezone.now()}, "This invitation was taken back"),
    ],
)
def test_what_opens_nothing_says_what_to_do(
    people: scenes.People, alice: Client, change: dict[str, object], heading: str
) -> None:
    path = invite(alice, people.account, email="dora@example.org")
    Invitation.objects.update(**change)
    for browser in (Client(), logged_in(scenes.person("emil"))):
        guest = opened(path, browser)
        for at in ("/invitation/", "/invitation/agent/", "/invitation/who/"):
            answer = guest.get(at, follow=True)
            if answer.redirect_chain:
                continue
            text = answer.content.decode()
            assert answer.status_code == 410
            assert heading in text
            assert "Alice" in text
        assert guest.post("/invitation/", {}).status_code == 410
    assert not User.objects.filter(email="dora@example.org").exists()


def test_a_mail_for_somebody_else_opens_nothing(people: scenes.People, alice: Client) -> None:
    guest = opened(
        invite(alice, people.account, email="dora@example.org"), logged_in(people.charlie)
    )
    text = page(guest)
    assert "It was sent to dora@example.org, and you are logged in as charlie@example.org" in text
    assert guest.post("/invitation/agent/", {"name": "Iris"}).status_code == 410
    assert not Membership.objects.filter(user=people.charlie, account=people.account).exists()


def test_who_is_in_the_account_needs_no_invitation(
    people: scenes.People, alice: Client, bob: Client
) -> None:
    guest = opened(invite(alice, people.account), bob)
    assert "You are in Alice already" in page(guest)
    assert guests.latest().taken == 0


def test_the_token_stands_nowhere_but_in_the_link(people: scenes.People, alice: Client) -> None:
    path = invite(alice, people.account)
    token = path.split("/")[2]
    guest = opened(path)
    answer = Client().get(path)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert token not in page(guest)
    assert token not in str(dict(guest.session))
    assert token not in str(list(Invitation.objects.values()))
    assert token not in page(alice, f"/accounts/{people.account.uid}/")


def test_a_link_that_is_none(db: None) -> None:
    assert Client().get("/invitations/abcdef/").status_code == 404
    assert Client().get("/invitation/").status_code == 404
    assert Client().get("/invitation/who/").status_code == 404


def test_the_mail_that_cannot_leave_invites_nobody(
    people: scenes.People, alice: Client, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    where = f"/accounts/{people.account.uid}/invitations/new/"
    answer = alice.post(where, {"email": "dora@example.org"})
    assert answer.status_code == 422
    assert 'id="email_error"' in answer.content.decode()
    assert not Invitation.objects.exists()


def test_by_invitation_only(
    people: scenes.People, alice: Client, bob: Client, settings: Settings
) -> None:
    settings.SIGN_UP = "invited"
    assert "People come to this farm by invitation" in page(Client(), "/")
    closed = Client().post("/account/signup/", {"email": "dora@example.org"})
    assert "People come to this farm by invitation" in closed.content.decode()
    guest = opened(invite(alice, people.account))
    guest.post("/account/signup/", {"email": "dora@example.org"})
    guest.post("/account/confirm-email/", {"code": guests.code()})
    answer_question(guest)
    assert not Account.objects.filter(name="Dora").exists()
    bob.post("/accounts/new/", {"name": "Bob's own"})
    assert not Account.objects.filter(name="Bob's own").exists()
    homeless = logged_in(scenes.person("emil"))
    refused = homeless.post("/agents/new/", {"name": "Iris"})
    assert "by invitation here" in refused.content.decode()
