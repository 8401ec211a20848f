"""Cost day by day, and every line with its price, the rule that made it, and whose cost it is."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from farm.accounts.models import Account, User
from farm.agents.models import Agent, Server
from farm.agents.reconciler.metering import meter
from farm.billing.ai_rows import AiDay
from farm.billing.models import Payer
from farm.billing.payers import default_payer
from tests.farm.billing.scenes import agent_of, machine_of, swept
from tests.farm.web.scenes import People

MONTH = date(2026, 9, 1)
BEGAN = datetime(2026, 9, 3, 12, tzinfo=UTC)


def lived(
    owner: User, account: Account, name: str, *, began: datetime = BEGAN, hours: int = 60
) -> Agent:
    """An agent of a month that is over: its machine answered from its second hour on."""
    agent = agent_of(owner, account, name, began)
    serving, gone = began + timedelta(hours=1), began + timedelta(hours=hours)
    machine_of(agent, created=began, serving=serving, gone=gone)
    return agent


@pytest.fixture
def ada(people: People) -> Agent:
    """Bob's agent, that lived from the 3rd to the 5th of September."""
    agent = lived(people.bob, people.account, "Ada")
    AiDay.objects.create(
        agent_uid=agent.uid,
        agent_name="Ada",
        day=date(2026, 9, 4),
        payer_uid=default_payer(people.account).uid,
        person_email=people.bob.email,
        provider="sandbox",
        model="sandbox-1",
        calls=3,
        cost_micros=250_000,
    )
    write()
    return agent


def write() -> None:
    swept(timezone.now())
    meter(timezone.now())


def statement_of(payer: Payer) -> str:
    return f"/payers/{payer.uid}/2026-09/"


def table_in(page: str) -> list[list[str]]:
    """The table that says what the drawing says."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</tr>', page)
    return [[re.sub(r"<[^>]+>", " ", cell).strip() for cell in row.split("<td")] for row in rows]


def test_a_payers_month_is_drawn_day_by_day(ada: Agent, people: People, alice: Client) -> None:
    page = alice.get(statement_of(default_payer(people.account))).content.decode()
    days = table_in(page)
    assert [row[0] for row in days] == ["3 September", "4 September", "5 September"]
    # 24 started hours at 0.0072, and the day's AI.
    assert days[1][-1].endswith("0.42\xa0EUR")
    assert days[2][-1].endswith("0.17\xa0EUR")
    assert len(re.findall(r"<rect class=\"tone-1\" x=", page)) == 3
    assert 'rel="next"' in page


def test_a_member_sees_their_own_agents_and_nobody_elses(
    ada: Agent, people: People, alice: Client, bob: Client
) -> None:
    assert len(table_in(bob.get("/money/?month=2026-09").content.decode())) == 3
    assert table_in(alice.get("/money/?month=2026-09").content.decode()) == []
    assert bob.get("/money/?month=2026-13").status_code == 404
    assert 'href="/money/?month=2026-09"' in bob.get("/money/").content.decode()


def test_the_dearest_agents_have_a_colour_and_the_others_share_one(
    people: People, alice: Client
) -> None:
    for number in range(8):
        lived(people.bob, people.account, f"A{number}", hours=10 + number)
    write()
    page = alice.get(statement_of(default_payer(people.account))).content.decode()
    assert "3 other agents" in page
    assert 'class="tone-7"' not in page
    assert all(len(row) == 1 + 6 + 1 for row in table_in(page))


def test_more_agents_are_no_more_queries(ada: Agent, people: People, alice: Client) -> None:
    path = statement_of(default_payer(people.account))
    alice.get(path)
    with CaptureQueriesContext(
        connection,
    ) as few:
        alice.get(path)
    for number in range(5):
        lived(people.bob, people.account, f"A{number}")
    write()
    with CaptureQueriesContext(connection) as many:
        alice.get(path)
    assert len(many) == len(few)


def test_every_line_says_its_price_its_rule_and_who_bears_it(
    ada: Agent, people: People, alice: Client, bob: Client
) -> None:
    path = f"/agents/{ada.uid}/hours/2026-09/"
    for client in (alice, bob):
        page = client.get(f"{path}?day=2026-09-03").content.decode()
        price = (
            "0.006400\xa0EUR an hour, at most 3.990000\xa0EUR a month, price of 3 September 2026"
        )
        assert page.count(price) == 12
        assert page.count("a started hour counts in full") == 24
        assert "the farm bears 0.006400\xa0EUR: before the agent answered there" in page
        assert page.count("paid by Alice") == 22
    assert "3 calls" in bob.get(f"{path}?day=2026-09-04").content.decode()


def test_a_reached_cap_is_said_with_what_the_cloud_charged(people: People, bob: Client) -> None:
    ada = lived(
        people.bob, people.account, "Ada", began=datetime(2026, 9, 1, tzinfo=UTC), hours=660
    )
    write()
    page = bob.get(f"/agents/{ada.uid}/hours/2026-09/?day=2026-09-28").content.decode()
    assert "its monthly price is reached: the cloud charges 0.000000\xa0EUR" in page


def test_many_lines_come_in_pages(ada: Agent, people: People, alice: Client) -> None:
    path = f"{statement_of(default_payer(people.account))}hours/{ada.uid}/"
    first = alice.get(path).content.decode()
    assert "Page 1 of 2" in first
    assert f'href="{path}?page=2"' in first
    second = alice.get(f"{path}?page=2").content.decode()
    assert first.count("<tr><td class=") - 1 + second.count("<tr><td class=") == 2 * 59
    for wrong in ("2026-09-31", "soon", "0001-01-01x"):
        assert alice.get(f"{path}?day={wrong}").status_code == 404


def test_what_is_nobodys_hour_is_no_strangers_page(ada: Agent, charlie: Client) -> None:
    Server.objects.update(agent=ada)
    assert charlie.get(f"/agents/{ada.uid}/hours/2026-09/").status_code == 404
