"""Money pages: a member's month, what an account pays, statements, payers and limits."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.accounts.models import AuditEntry
from farm.agents.models import Agent, Server
from farm.agents.reconciler.metering import meter
from farm.billing.limits import committed
from farm.billing.models import Limit, Payer, UsageLine
from farm.billing.papers import DEJAVU, statement_pdf
from farm.billing.payers import assignment_at, default_payer, first_hour_after, release
from farm.billing.rule import month_of
from farm.billing.statements import statement
from tests.farm.billing.scenes import MONTHLY, agent_of, machine_of, swept
from tests.farm.web.scenes import People, agent, running

SINCE = timedelta(hours=3, minutes=5)


@pytest.fixture
def ada(people: People) -> Agent:
    """Bob's agent, whose machine serves since three hours."""
    began = timezone.now() - SINCE
    agent = agent_of(people.bob, people.account, "Ada", began)
    machine_of(agent, created=began, serving=began)
    swept(timezone.now())
    meter(timezone.now())
    return agent


def month() -> str:
    return f"{timezone.now():%Y-%m}"


def url_of(payer: Payer, form: str = "") -> str:
    return f"/payers/{payer.uid}/{month()}/{form}"


def test_a_member_reads_what_their_agents_cost_and_who_pays(ada: Agent, bob: Client) -> None:
    page = bob.get("/money/").content.decode()
    assert "paid by Alice" in page
    assert "Ada" in page
    assert "deleting it saves up to 4.49\xa0EUR a month" in page
    assert "What Alice pays" not in page


def test_the_page_says_the_same_before_and_after_the_meter_ran(people: People, bob: Client) -> None:
    began = timezone.now() - SINCE
    machine_of(agent_of(people.bob, people.account, "Ada", began), created=began, serving=began)
    before = money_of(bob)
    swept(timezone.now())
    meter(timezone.now())
    assert UsageLine.objects.exists()
    assert money_of(bob) == before


def test_an_owner_reads_what_the_account_pays_for_whom(
    ada: Agent, people: People, alice: Client
) -> None:
    machine_of(ada, created=timezone.now() - timedelta(minutes=90))
    page = alice.get(f"/accounts/{people.account.uid}/money/").content.decode()
    assert "bob@example.org" in page
    assert "before the agent answered there" in page
    assert f"{(4 * 7_200 + 2 * 7_200) / 1_000_000:.2f}\xa0EUR" in page


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_who_manages_no_money_reads_none(
    who: str, ada: Agent, people: People, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(who)
    refused = 403 if who == "bob" else 404
    payer = default_payer(people.account)
    for path in (
        f"/accounts/{people.account.uid}/money/",
        url_of(payer),
        url_of(payer, "statement.pdf"),
        url_of(payer, "hours.csv"),
        url_of(payer, f"hours/{ada.uid}/"),
        f"/payers/{payer.uid}/limits/{people.bob.username}/",
        f"/agents/{ada.uid}/payer/",
    ):
        assert client.get(path).status_code == refused, path
    answers = [
        client.post(f"/accounts/{people.account.uid}/payers/", {"name": "Sales"}),
        client.post(f"/payers/{payer.uid}/limits/{people.bob.username}/", {"limit": "1"}),
        client.post(f"/agents/{ada.uid}/payer/", {"payer_uid": payer.uid}),
    ]
    assert [answer.status_code for answer in answers] == [refused] * 3
    assert (Payer.objects.exclude(pk=payer.pk).count(), Limit.objects.count()) == (0, 0)


def test_a_statement_holds_every_hour(ada: Agent, people: People, alice: Client) -> None:
    payer = default_payer(people.account)
    page = alice.get(url_of(payer)).content.decode()
    assert "A statement, not an invoice" in page
    fold = alice.get(url_of(payer, f"hours/{ada.uid}/"), headers={"HX-Request": "true"})
    assert fold.content.decode().count(">0.006400\xa0EUR<") == 3
    assert fold.content.decode().count(">0.000800\xa0EUR<") == 3


def test_the_exports_add_up_to_the_statement(ada: Agent, people: People, alice: Client) -> None:
    payer = default_payer(people.account)
    hours = rows(alice, url_of(payer, "hours.csv"))
    written = sum(line.micros for line in UsageLine.objects.filter(payer=payer))
    assert sum(Decimal(row["amount"]) for row in hours) * 1_000_000 == written
    summed = rows(alice, url_of(payer, "statement.csv"))
    assert [row["person"] for row in summed] == ["bob@example.org"]
    assert Decimal(summed[0]["total"]) * 1_000_000 == written + 7_200


def test_a_name_in_an_export_is_no_formula(people: People, alice: Client) -> None:
    began = timezone.now() - SINCE
    machine_of(agent_of(people.bob, people.account, "=1+1", began), created=began, serving=began)
    (row,) = rows(alice, url_of(default_payer(people.account), "statement.csv"))
    assert row["agent"] == "'=1+1"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_paper_is_a_pdf_in_both_languages(
    language: str, ada: Agent, people: People, alice: Client
) -> None:
    Agent.objects.update(name="Łódź 🤖")
    alice.cookies["django_language"] = language
    answer = alice.get(url_of(default_payer(people.account), "statement.pdf"))
    assert answer["Content-Type"].startswith("application/pdf")
    assert answer.content.startswith(b"%PDF-")


def test_the_paper_shows_every_name(ada: Agent, people: People, alice: Client) -> None:
    if not (DEJAVU / "DejaVuSans.ttf").exists():
        pytest.skip("Debian's package fonts-dejavu-core is not installed")
    Payer.objects.update(name="Łódź, Αθήνα, Київ")
    paper = alice.get(url_of(default_payer(people.account), "statement.pdf")).content
    assert {f"<{ord(letter):04X}>".encode() for letter in "Łź\u0391θї"} <= letters_in(paper)


def test_the_paper_is_made_without_that_font_too(
    tmp_path: Path, ada: Agent, people: People
) -> None:
    payer = default_payer(people.account)
    payer.name = "Łódź"
    month = statement(payer, month_of(timezone.now()))
    assert statement_pdf(month, timezone.now(), fonts=tmp_path).startswith(b"%PDF-")


@pytest.mark.parametrize("word", ["2026-13", "soon", "2026-11-01"])
def test_a_month_that_is_none_is_not_there(word: str, people: People, alice: Client) -> None:
    assert alice.get(f"/payers/{default_payer(people.account).uid}/{word}/").status_code == 404


def test_an_owner_has_another_payer_charged_from_the_next_hour(
    ada: Agent, people: People, alice: Client
) -> None:
    alice.post(f"/accounts/{people.account.uid}/payers/", {"name": "Sales"})
    sales = Payer.objects.get(name="Sales")
    now = timezone.now()
    sent = {"payer_uid": sales.uid, "cost_centre": "4711"}
    assert alice.post(f"/agents/{ada.uid}/payer/", sent).status_code == 302
    assert named(ada, 0) == (people.account.name, "")
    later = assignment_at(ada.uid, first_hour_after(now) + timedelta(hours=1))
    assert later is not None
    assert (later.payer, later.cost_centre, later.person) == (sales, "4711", people.bob)
    assert AuditEntry.objects.filter(verb="change payer", subject=ada.uid).exists()


def test_a_gift_ends_on_its_day(ada: Agent, people: People, alice: Client) -> None:
    sales = Payer.objects.create(account=people.account, name="Sales", created_at=timezone.now())
    until = (timezone.now() + timedelta(days=5)).date()
    alice.post(f"/agents/{ada.uid}/payer/", {"payer_uid": sales.uid, "until": f"{until}"})
    assert named(ada, 3 * 24) == ("Sales", "")
    assert named(ada, 6 * 24) == (people.account.name, "")


def test_a_gift_that_is_over_already_is_refused_at_its_field(ada: Agent, alice: Client) -> None:
    yesterday = (timezone.now() - timedelta(days=1)).date()
    answer = alice.post(f"/agents/{ada.uid}/payer/", {"until": f"{yesterday}"})
    assert answer.status_code == 422
    assert "A gift ends on a later day" in answer.content.decode()


def test_a_limit_refuses_the_next_agent_in_advance(
    ada: Agent, people: People, alice: Client, bob: Client, settings: Settings
) -> None:
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:9/v1"
    settings.SANDBOX_MODEL, settings.SANDBOX_MODEL_KEY = "sandbox-1", "key"
    payer = default_payer(people.account)
    path = f"/payers/{payer.uid}/limits/{people.bob.username}/"
    assert alice.post(path, {"limit": "5.00"}).status_code == 302
    assert committed(payer, people.bob, timezone.now()) == MONTHLY
    answer = bob.post("/agents/new/", {"name": "Bea", "blueprint": "assistant"})
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "Alice pays up to 5.00\xa0EUR a month for your agents" in said
    assert "may cost 4.49\xa0EUR" in said
    assert "alice@example.org" in said
    assert not Agent.objects.filter(name="Bea").exists()
    alice.post(path, {"limit": ""})
    assert bob.post("/agents/new/", {"name": "Bea", "blueprint": "assistant"}).status_code == 302


def test_what_an_agent_that_is_gone_cost_still_counts(ada: Agent, people: People) -> None:
    payer = default_payer(people.account)
    ada.servers.update(gone_at=timezone.now())
    release(agent_uid=ada.uid, at=timezone.now())
    this_month = UsageLine.objects.filter(month=month_of(timezone.now()))
    assert committed(payer, people.bob, timezone.now()) == sum(x.micros for x in this_month)


def test_a_limit_that_is_no_amount_is_refused_at_its_field(people: People, alice: Client) -> None:
    payer = default_payer(people.account)
    path = f"/payers/{payer.uid}/limits/{people.bob.username}/"
    for wrong in ("-1", "much", "1e99"):
        answer = alice.post(path, {"limit": wrong})
        assert answer.status_code == 422, wrong
        assert wrong in answer.content.decode()


def test_the_button_says_who_pays(people: People, alice: Client, bob: Client) -> None:
    said = bob.get("/agents/new/").content.decode()
    assert "Create - 0 EUR for you" in said
    assert "Alice pays" in said
    assert "0 EUR for you" not in alice.get("/agents/new/").content.decode()


def test_a_member_cannot_charge_a_payer_that_nobody_offered(
    people: People, bob: Client, alice: Client
) -> None:
    Payer.objects.create(account=people.account, name="Sales", created_at=timezone.now())
    answer = alice.post(f"/accounts/{people.account.uid}/payers/", {"name": "sales"}, follow=True)
    assert "has a payer of that name already" in answer.content.decode()


def test_a_failed_change_of_an_agent_that_serves_is_said_to_be_counted(
    people: People, alice: Client
) -> None:
    nino = running(agent(people.alice))
    Agent.objects.filter(pk=nino.pk).update(phase="failed", reason="configure_timeout")
    assert "othing is counted" not in alice.get(f"/agents/{nino.uid}/").content.decode()
    Server.objects.update(gone_at=timezone.now())
    assert "nothing is counted" in alice.get(f"/agents/{nino.uid}/").content.decode()


def money_of(client: Client) -> str:
    """What the page says of money."""
    return client.get("/money/").content.decode().partition("<main")[2]


def letters_in(paper: bytes) -> set[bytes]:
    """The letters that the paper's fonts can be read back as."""
    return set(re.findall(rb"<[0-9A-F]{4}>", paper))


def rows(client: Client, path: str) -> list[dict[str, str]]:
    """A CSV as a spreadsheet reads it."""
    answer = client.get(path)
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def named(agent: Agent, hours: int) -> tuple[str, str]:
    """Who pays so many hours from now, and under which cost centre."""
    said = assignment_at(agent.uid, timezone.now() + timedelta(hours=hours))
    assert said is not None
    return said.payer.name, said.cost_centre
