"""A WhatsApp account given to an agent: codes that change, a scan, a log-out, one number."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import pytest

from tests.farm.matrix.farms import Farm, wait_until
from tests.farm.matrix.verdicts import answers, one_running

OWN, STRANGER = "+33612345678", "+33699999999"
STATE = "SELECT state FROM agents_whatsapplink"


@pytest.fixture
def account() -> str:
    """A second number, for the agent."""
    return f"+3367{uuid4().int % 10**7:07d}"


def picture(farm: Farm) -> str:
    """The code on the page, once there is one."""
    wait_until("a code is shown", lambda: farm.wish("picture") != "")
    return farm.wish("picture")


def scan(farm: Farm, account: str) -> bool:
    """A phone looks at the code on the page; False if that was just replaced."""
    wish = {"picture": picture(farm), "account": account}
    return farm.control.post("/whatsapp/scan", json=wish).status_code == 200


def linked(farm: Farm, account: str) -> None:
    """Have the code scanned and wait until the page says so."""
    wait_until("it is scanned", lambda: scan(farm, account))
    wait_until("it is linked", lambda: farm.ask(STATE) == "linked")


def write(farm: Farm, account: str, text: str, *, person: str = OWN) -> None:
    """Somebody writes to the agent's number."""
    wish = {"from": person, "to": account, "text": text}
    farm.control.post("/whatsapp/messages", json=wish).raise_for_status()


def said(farm: Farm, account: str, *, person: str = OWN) -> Sequence[str]:
    """What the agent's number wrote to somebody."""
    said = farm.control.get("/whatsapp/messages").json()["messages"]
    return [line["text"] for line in said if (line["from"], line["to"]) == (account, person)]


def test_a_scanned_account_answers_its_owner_and_nobody_else(farm: Farm, account: str) -> None:
    farm.start_worker()
    farm.wish("ask")
    assert farm.wish("link_whatsapp", number="0033 6 12-34 56.78") == OWN
    one_running(farm)
    linked(farm, account)
    assert farm.ask("SELECT account FROM agents_whatsapplink") == account
    assert farm.ask("SELECT picture FROM agents_whatsapplink") == ""
    write(farm, account, "let me in", person=STRANGER)
    write(farm, account, "bonjour")
    wait_until("the agent answers there", lambda: bool(said(farm, account)))
    assert said(farm, account, person=STRANGER) == []


def test_the_code_on_the_page_changes_with_the_one_on_the_machine(farm: Farm, account: str) -> None:
    farm.start_worker()
    farm.wish("ask")
    farm.wish("link_whatsapp", number=OWN)
    one_running(farm)
    first = picture(farm)
    machine = farm.ask("SELECT ipv4 FROM agents_server")
    farm.control.post("/whatsapp/turn", json={"machine": machine}).raise_for_status()
    wait_until("another code is shown", lambda: farm.wish("picture") not in ("", first))
    old = {"picture": first, "account": account}
    assert farm.control.post("/whatsapp/scan", json=old).status_code == 409
    linked(farm, account)


def test_a_code_that_nobody_scans_runs_out_and_another_is_asked_for(
    farm: Farm, account: str
) -> None:
    farm.start_worker()
    farm.wish("ask")
    farm.wish("link_whatsapp", number=OWN)
    one_running(farm)
    picture(farm)
    farm.wish("age_links", minutes="4")
    wait_until("it ran out", lambda: farm.ask(STATE) == "expired")
    assert farm.wish("picture") == ""
    farm.wish("renew_whatsapp")
    linked(farm, account)


def test_an_account_that_its_phone_throws_out_is_told_and_linked_anew(
    farm: Farm, account: str
) -> None:
    farm.start_worker()
    farm.wish("ask")
    farm.wish("link_whatsapp", number=OWN)
    one_running(farm)
    linked(farm, account)
    farm.control.post("/whatsapp/throw-out", json={"account": account}).raise_for_status()

    def told() -> bool:
        farm.wish("look_now")
        return farm.ask(STATE) == "out"

    wait_until("the page says so", told)
    farm.wish("renew_whatsapp")
    linked(farm, account)


def test_unlinking_logs_the_account_out_on_the_machine(farm: Farm, account: str) -> None:
    farm.start_worker()
    farm.wish("ask")
    farm.wish("link_whatsapp", number=OWN)
    one_running(farm)
    linked(farm, account)
    creds = "ls /var/lib/openclaw/.openclaw/credentials/whatsapp/default"
    assert farm.wish("on_machine", command=creds).split() == ["creds.json"]
    farm.wish("unlink_whatsapp")
    rows = "SELECT count(*) FROM agents_whatsapplink"
    wait_until("it is forgotten", lambda: farm.ask(rows) == "0")
    assert farm.wish("on_machine", command=creds).split() == []
    wait_until("the agent runs", lambda: farm.phase() == "running")
    answers(farm)
    assert "whatsapp_not_logged_out" not in farm.codes()


def phones(farm: Farm) -> Sequence[str]:
    """The accounts whose phones list a device as linked."""
    accounts: Sequence[str] = farm.control.get("/whatsapp/devices").json()["accounts"]
    return accounts


def test_deleting_the_agent_logs_the_account_out_first(farm: Farm, account: str) -> None:
    farm.start_worker()
    farm.wish("ask")
    farm.wish("link_whatsapp", number=OWN)
    one_running(farm)
    linked(farm, account)
    assert account in phones(farm)
    farm.wish("delete")
    wait_until("it is gone", lambda: farm.phase() == "deleted")
    assert account not in phones(farm)
    assert "whatsapp_not_logged_out" not in farm.codes()


def test_a_deletion_does_not_wait_for_whatsapp(farm: Farm, account: str) -> None:
    farm.start_worker()
    farm.wish("ask")
    farm.wish("link_whatsapp", number=OWN)
    one_running(farm)
    linked(farm, account)
    farm.wish("on_machine", command="systemctl stop openclaw")
    farm.wish("delete")
    wait_until("it is gone", lambda: farm.phase() == "deleted")
    assert "whatsapp_not_logged_out" in farm.codes()


@pytest.mark.parametrize("number", ["", "0612345678", "+33", "call me", "+33612345678901234"])
def test_a_number_that_is_none_is_refused_at_its_field(farm: Farm, number: str) -> None:
    farm.wish("ask")
    with pytest.raises(AssertionError, match="whatsapp_number"):
        farm.wish("link_whatsapp", number=number)
    assert farm.ask("SELECT count(*) FROM agents_whatsapplink") == "0"
