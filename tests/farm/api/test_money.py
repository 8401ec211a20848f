"""A payer's money through the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from farm.accounts.models import AuditEntry, Door
from farm.accounts.tokens import Scope
from farm.agents.models import Agent
from farm.agents.reconciler.metering import meter
from farm.billing.customer_rows import Customer, Hold, TopUp
from farm.billing.models import Limit
from farm.billing.payers import default_payer
from tests.farm.api.conftest import Caller, caller
from tests.farm.billing.scenes import agent_of, machine_of, swept
from tests.farm.billing.wallets import EURO, pay_in, wallet_of
from tests.farm.web import scenes

BEGAN = datetime(2026, 9, 3, 12, tzinfo=UTC)


@pytest.fixture
def customer(people: scenes.People) -> Customer:
    """Alice's account pays in advance; this farm takes no money."""
    return wallet_of(people.account)


@pytest.fixture
def ada(people: scenes.People) -> Agent:
    """Bob's agent, that lived for a day and a half in September."""
    agent = agent_of(people.bob, people.account, "Ada", BEGAN)
    serving, gone = BEGAN + timedelta(hours=1), BEGAN + timedelta(hours=36)
    machine_of(agent, created=BEGAN, serving=serving, gone=gone)
    swept(timezone.now())
    meter(timezone.now())
    return agent


def base(people: scenes.People) -> str:
    return f"accounts/{people.account.uid}/payers/{default_payer(people.account).uid}/"


def test_a_balance_says_what_is_left_and_set_aside(
    people: scenes.People, customer: Customer, alice: Caller
) -> None:
    pay_in(customer.payer, 24 * EURO)
    Hold.objects.create(
        payer=customer.payer,
        agent_uid="abcdefghjkmn",
        run_micros=190_000,
        grace_micros=EURO,
        since=timezone.now(),
    )
    told = alice.get(f"{base(people)}balance/").data
    assert (told["left_micros"], told["held_micros"]) == (24 * EURO, 1_190_000)
    assert (told["available_micros"], told["days_left"]) == (22_810_000, 120)
    assert (told["kind"], told["stage"], told["frozen"]) == ("wallet", "fine", False)
    assert [hold["agent"] for hold in told["holds"]] == ["abcdefghjkmn"]


def test_every_line_has_its_price_and_they_add_up_to_the_days(
    people: scenes.People, ada: Agent, alice: Caller
) -> None:
    path = f"{base(people)}lines/2026-09/?limit=50"
    first = alice.get(path).data
    rest = alice.get(f"{path}&after={first['next']}").data
    lines = [*first["items"], *rest["items"]]
    assert (len(lines), rest["next"]) == (2 * 35, None)
    assert {line["price"]["hourly_micros"] for line in lines} == {6_400, 800}
    assert len({line["id"] for line in lines}) == len(lines)
    days = alice.get(f"{base(people)}days/2026-09/").data
    assert [day["day"] for day in days] == ["2026-09-03", "2026-09-04"]
    assert sum(day["machine_micros"] for day in days) == sum(line["micros"] for line in lines)


def test_an_agents_lines_tell_whose_cost_each_hour_is(
    people: scenes.People, ada: Agent, bob: Caller, charlie: Caller
) -> None:
    path = f"agents/{ada.uid}/lines/2026-09/?limit=100"
    lines = bob.get(path).data["items"]
    borne = [line for line in lines if line["cause"]]
    assert [(line["cause"], line["micros"], line["payer"]) for line in borne] == [
        ("before", 0, "")
    ] * 2
    assert charlie.get(path).status_code == 404
    assert bob.get(f"agents/{ada.uid}/lines/soon/").status_code == 404


def test_limits_are_set_for_one_and_for_all(
    people: scenes.People, customer: Customer, alice: Caller
) -> None:
    path = f"{base(people)}limits/"
    alice.put(path, {"monthly_micros": 25 * EURO})
    told = alice.put(path, {"monthly_micros": 5 * EURO, "person": "bob@example.org"}).data
    assert [(row["person"], row["monthly_micros"]) for row in told] == [
        ("", 25 * EURO),
        ("bob@example.org", 5 * EURO),
    ]
    entry = AuditEntry.objects.filter(verb="set limit").latest("pk")
    assert (entry.actor, entry.door) == (people.alice, Door.API)
    refused = alice.put(path, {"monthly_micros": 1, "person": "charlie@example.org"})
    assert (refused.status_code, refused.data["field"]) == (422, "person")
    assert len(alice.put(path, {"monthly_micros": None}).data) == 1
    assert Limit.objects.get().person == people.bob


def test_a_top_up_is_refused_where_no_payments_are_taken(
    people: scenes.People, customer: Customer, alice: Caller
) -> None:
    asked = alice.post(f"{base(people)}top-ups/", {"cents": 2_000})
    assert (asked.status_code, asked.data["code"]) == (422, "no_payments")
    made = TopUp.objects.create(customer=customer, cents=2_000, asked_at=timezone.now())
    listed = alice.get(f"{base(people)}top-ups/").data["items"]
    assert [row["uid"] for row in listed] == [made.uid]
    assert alice.get(f"{base(people)}top-ups/{made.uid}/").data["state"] == "asked"


def test_a_card_is_charged_by_itself_only_if_its_owner_agreed(
    people: scenes.People, customer: Customer, alice: Caller
) -> None:
    Customer.objects.update(card="pm_1", card_name="Visa 4242")
    path = f"{base(people)}automatic/"
    refused = alice.put(path, {"cents": 2_000})
    assert (refused.status_code, refused.data["field"]) == (422, "agreed")
    told = alice.put(path, {"cents": 2_000, "agreed": True}).data
    assert told == {"card": "Visa 4242", "automatic_cents": 2_000}
    assert alice.get(f"{base(people)}card/").data == told


def test_members_and_strangers_and_narrow_tokens_get_nothing(
    people: scenes.People, customer: Customer, bob: Caller, charlie: Caller
) -> None:
    reader = caller(people.alice, Scope.MONEY_READ)
    for path in ("balance/", "top-ups/", "card/", "vat-id/", "papers/", "limits/"):
        whole = f"{base(people)}{path}"
        assert (bob.get(whole).status_code, charlie.get(whole).status_code) == (403, 404)
        assert reader.get(whole).status_code == 200
    for path in ("automatic/", "limits/", "vat-id/"):
        assert reader.put(f"{base(people)}{path}", {}).status_code == 403
    assert reader.post(f"{base(people)}top-ups/", {"cents": 2_000}).status_code == 403
    theirs = default_payer(people.charlie.accounts.get())
    assert (
        caller(people.alice)
        .get(f"accounts/{people.account.uid}/payers/{theirs.uid}/balance/")
        .status_code
        == 404
    )
