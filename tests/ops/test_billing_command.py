"""`farm billing`: the same numbers as the pages, and the same refusals."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from typer.testing import CliRunner

from farm.agents.models import Agent
from farm.billing.ledger import post
from farm.billing.ledger_rows import LedgerAccount
from farm.billing.models import Limit, Payer, UsageLine
from farm.billing.payers import assignment_at, default_payer
from farm.ops.billing import app
from tests.farm.billing.scenes import agent_of, machine_of, swept
from tests.farm.web.scenes import People, people
from tests.ops.test_agents_command import Said

pytestmark = pytest.mark.django_db


def say(*words: str, by: str = "alice@example.org") -> Said:
    done = CliRunner().invoke(app, list(words), env={"FARM_USER": by, "COLUMNS": "200"})
    return Said(done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def us() -> People:
    """Alice, Bob and Charlie."""
    return people()


@pytest.fixture
def ada(us: People) -> Agent:
    """Bob's agent, whose machine has served for three hours and a bit."""
    began = timezone.now() - timedelta(hours=3, minutes=5)
    agent = agent_of(us.bob, us.account, "Ada", began)
    machine_of(agent, created=began, serving=began)
    swept(timezone.now())
    return agent


def test_the_meter_writes_once(ada: Agent) -> None:
    assert json.loads(say("meter", "--json").out) == {"hours": 6}
    assert say("meter").out == "0 hours were written down.\n"
    assert UsageLine.objects.count() == 6


def test_a_statement_names_everybody_and_adds_up(ada: Agent) -> None:
    shown = json.loads(say("statement", "--json").out)
    assert shown["machine_micros"] == 4 * 7_200
    assert [person["email"] for person in shown["people"]] == ["bob@example.org"]
    assert "A statement, no invoice." in say("statement").out


@pytest.mark.parametrize("name", ["paper.pdf", "table.csv", "table.hours.csv"])
def test_a_statement_is_written_to_a_file(ada: Agent, tmp_path: Path, name: str) -> None:
    say("meter")
    assert say("statement", "--to", str(tmp_path / name)).code == 0
    assert (tmp_path / name).read_bytes()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("statement", "--month", "soon"), "month"),
        (("statement", "--payer", "nobody"), "unknown"),
        (("statement", "--to", "paper.doc"), "file"),
        (("limits", "--person", "zoe@example.org", "--amount", "1"), "person_unknown"),
        (("limits", "--person", "bob@example.org", "--amount", "much"), "limit"),
        (("limits", "--person", "bob@example.org", "--amount", "-1"), "limit"),
        (("payers", "--add", ""), ""),
        (("payers", "--add", "alice"), "payer_taken"),
    ],
)
def test_what_is_wrong_is_refused_in_a_sentence(
    ada: Agent, words: tuple[str, ...], code: str
) -> None:
    default_payer(ada.account)
    said = say(*words, "--json")
    assert said.code == (1 if code else 0)
    if code:
        assert json.loads(said.out)["code"] == code
    assert Limit.objects.count() == 0


def test_who_manages_no_money_is_refused(ada: Agent) -> None:
    for words in (("statement",), ("payers",), ("limits",)):
        assert json.loads(say(*words, "--json", by="bob@example.org").out)["code"] == "denied"


def test_a_payer_is_added_and_pays_from_the_next_hour(ada: Agent) -> None:
    say("payers", "--add", "Sales")
    rows = json.loads(say("payers", "--json").out)
    assert [(row["name"], row["default"]) for row in rows] == [("Alice", True), ("Sales", False)]
    done = say("pay", "Ada", "--payer", "sales", "--cost-centre", "4711")
    assert done.code == 0, done.err
    later = assignment_at(ada.uid, timezone.now() + timedelta(hours=2))
    assert later is not None
    assert (later.payer, later.cost_centre) == (Payer.objects.get(name="Sales"), "4711")


def test_a_limit_is_set_listed_and_lifted(ada: Agent) -> None:
    say("limits", "--person", "bob@example.org", "--amount", "25.50")
    (row,) = json.loads(say("limits", "--json").out)
    assert (row["limit_micros"], row["committed_micros"]) == (25_500_000, 4_490_000)
    assert "bob@example.org" in say("limits").out
    say("limits", "--person", "bob@example.org", "--amount", "none")
    assert json.loads(say("limits", "--json").out) == []


def test_the_ledger_adds_up_or_says_so(ada: Agent) -> None:
    say("meter")
    post(timezone.now() + timedelta(days=1, hours=3))
    rows = json.loads(say("ledger", "--json").out)
    assert {row["book"] for row in rows} == {"payer", "machines", "cost", "clouds"}
    assert sum(row["balance_micros"] for row in rows) == 0
    assert say("ledger").code == 0
    LedgerAccount.objects.filter(book="cost").update(balance_micros=0)
    told = say("ledger")
    assert told.code == 1
    assert "0.02" in told.out
