"""Five people on two accounts and both clouds live on one farm, and lose it, and are charged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from farm.sandbox.model.keys import OWN_OPENAI_KEY
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.farm.matrix.moved_clock import MovedClock
from tests.lab.books import Books
from tests.lab.consoles import connects, own_machine_is_no_proxy
from tests.lab.outside import Outside, outside_world
from tests.lab.people import Crowd, Person
from tests.lab.premises import Address, Premises
from tests.lab.searching import found_on
from tests.lab.story import left_of
from tests.lab.telling import told
from tests.ops.farms import until
from tests.pairs.own import rows_in

pytestmark = pytest.mark.lab

HOURS, MINUTES = 3_600, 60
PACE = {
    # No night falls on the story, and no machine is given up because this one is slow.
    "BACKUP_HOUR": str((datetime.now(UTC).hour + 12) % 24),
    "BOOT_DEADLINE_SECONDS": "1800",
    "CONFIGURE_DEADLINE_SECONDS": "1800",
    "SWEEP_SECONDS": "5",
    "METER_SECONDS": "2",
}
LATER = {
    # Real machines keep the world's time: they take no certificate from a later one.
    "WATCH_SECONDS": "86400",
    "EDGE_ROUND_SECONDS": "86400",
}
FORTY_TWO = "Run `echo $((20 + 22))` and tell me what it says"
SECONDS = 300.0
"""For what the farm does by itself without a machine that comes up; it was seen to take 10."""


@dataclass(frozen=True, slots=True)
class Company:
    """One farm and everybody who lives on it.

    Alice runs it; her account is Dora's and Emil's too. Bruno has one of his own, with Cleo.
    """

    folder: Path
    outside: Outside
    premises: Premises
    alice: Person
    bruno: Person
    cleo: Person
    dora: Person
    emil: Person

    @property
    def books(self) -> Books:
        """The rows of the farm where it is now."""
        return Books(rows_in(self.premises.data))

    @property
    def keepers(self) -> Mapping[str, Person]:
        """Whose each agent is."""
        return {"Ada": self.alice, "Iris": self.dora, "Basile": self.bruno}

    def payer(self, of: Person, name: str = "") -> str:
        """The uid of a payer of that person's account; its default one without a name."""
        listed = json.loads(self.premises.farm("billing", "payers", "--as", of.email))
        return next(
            str(row["uid"]) for row in listed if (row["name"] == name if name else row["default"])
        )


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Nobody has come yet."""
    with ExitStack() as stack:
        stack.callback(until, lambda: left_of(tmp_path) == [])
        address = Address()
        outside = stack.enter_context(outside_world(tmp_path, address.relay))
        premises = Premises(tmp_path, address, outside, PACE)
        stack.callback(premises.close)
        premises.open()
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        crowd = Crowd(browser, address.site, outside)
        people = {name.lower(): crowd.person(name) for name in ("Alice", "Bruno", "Cleo", "Emil")}
        dora = crowd.person("Dora", "phone", "fr-FR")
        yield Company(tmp_path, outside, premises, dora=dora, **people)
        browser.close()


def test_a_company_lives_on_one_farm(company: Company) -> None:
    print()
    with told("two owners come, and have an agent made at each cloud"):
        owners_come(company)
    with told("three are invited, one to an agent, on a phone"):
        guests_come(company)
    with told("every agent speaks first"):
        agents_speak_first(company)
    with told("every agent is asked, and answers"):
        everybody_is_answered(company)
    with told("consoles behind the edge, at both clouds"):
        consoles_connect(company)
    with told("an agent is backed up and deleted"):
        host = an_agent_goes(company)
    with told("meanwhile: what is whose business"):
        accounts_are_apart(company)
        shared_key_stays_at_home(company)
    with told("it is back under its address"):
        the_agent_is_back(company, host)
    with told("the farm's machine is lost, and restored on another"):
        the_farm_is_lost_and_found(company)
    with told("everybody goes on"):
        everybody_is_answered(company)
        assert connects(company.alice, "Ada") == host
    with told("hours later, everything is deleted"):
        the_day_ends(company)
    with told("statements are what the clouds invoice"):
        statements_are_the_invoices(company)


def owners_come(company: Company) -> None:
    """Alice runs the farm; Bruno, on his own account, would rather have his agent in France."""
    company.alice.sign_up()
    company.alice.create("Ada")
    company.premises.farm("people", "operator", company.alice.email)
    company.bruno.sign_up()
    # Whoever comes later pays in advance, unless who runs the farm says otherwise.
    company.premises.farm("billing", "payers", "--as", company.bruno.email)
    company.premises.farm("billing", "pays", "Bruno", "internal")
    company.bruno.create("Basile", "France (Scaleway)")


def guests_come(company: Company) -> None:
    """Dora is given an agent; Emil and Cleo look after what their accounts pay."""
    key = company.folder / "key"
    key.write_text(OWN_OPENAI_KEY)
    owner, farm = company.alice.email, company.premises.farm
    farm("keys", "add", "openai", "--key-file", str(key), "--as", owner)
    farm("billing", "payers", "--add", "Research", "--as", owner)
    research = company.payer(company.alice, "Research")
    company.alice.invite(company.dora.email, payer=research, cost_centre="R-17")
    company.dora.take_up("Iris")
    for inviter, guest in ((company.alice, company.emil), (company.bruno, company.cleo)):
        words = ("people", "invite", "--role", "admin", "--as", inviter.email)
        guest.join(company.premises.told("link", *words))


def agents_speak_first(company: Company) -> None:
    """Each in its keeper's language; who was busy elsewhere comes back to read it."""
    company.alice.comes_back_to("Ada")
    company.alice.hears("I am Ada")
    company.dora.hears("je suis Iris")
    company.bruno.hears("I am Basile")


def everybody_is_answered(company: Company) -> None:
    """By whoever looks at an agent's page again."""
    for agent, person in company.keepers.items():
        person.comes_back_to(agent)
        person.is_answered(FORTY_TWO, "42")


def consoles_connect(company: Company) -> None:
    """At each cloud; Alice's is cut off by the edge and comes back."""
    connects(company.alice, "Ada", hellos=2)
    connects(company.bruno, "Basile")
    own_machine_is_no_proxy(company.alice)


def an_agent_goes(company: Company) -> str:
    """With everything it had, of which a backup is kept; answers its console's address."""
    alice = company.alice
    alice.is_answered("Write a file plan.txt that says Sunday, then read it to me", "Sunday")
    host = connects(alice, "Ada")
    alice.backs_up("Ada")
    alice.deletes("Ada")
    assert alice.status_of(host) >= 400
    alice.brings_back()
    return host


def the_agent_is_back(company: Company, host: str) -> None:
    """On a machine of its own again, with what it had."""
    company.alice.hears("I am back, as I was on")
    company.alice.is_answered("Read plan.txt to me", "Sunday")
    assert connects(company.alice, "Ada") == host


def accounts_are_apart(company: Company) -> None:
    """To who is not in an account it does not exist; money is for who answers for it."""
    research = company.payer(company.alice, "Research")
    month = company.outside.months()[-1]
    paths = (f"/payers/{research}/{month}/", company.alice.page.url, company.dora.page.url)
    assert [company.cleo.status_of(path) for path in paths] == [404, 404, 404]
    assert [company.bruno.status_of(path) for path in paths] == [404, 404, 404]
    assert company.dora.status_of(paths[0]) == 403
    assert company.emil.status_of(paths[0]) == 200


def shared_key_stays_at_home(company: Company) -> None:
    """Iris thinks with it through the relay, by a key of her own: only that is on her machine."""
    asked = company.outside.asked()
    assert any("Iris" in reply and key == OWN_OPENAI_KEY[-4:] for reply, key in asked)
    own = company.premises.python(
        "from farm.agents.models import Agent; print(Agent.objects.get(name='Iris').relay_key)"
    )
    at, operator = company.premises.surroundings, company.alice.email
    found = found_on(at, "Iris", operator, own)
    assert "/etc/openclaw/keys.json" in found
    assert found_on(at, "Iris", operator, OWN_OPENAI_KEY) == []


def the_farm_is_lost_and_found(company: Company) -> None:
    """The clouds go on without it, and it finds there what it left: no more, and no less."""
    kept = company.folder / "far away"
    archive = company.premises.told("path", "backup", "--to", str(kept))
    there = company.outside.things()
    company.premises.lose()
    company.premises.restore("second", Path(archive))
    until(company.books.all_swept, SECONDS)
    assert company.outside.things() == there
    assert json.loads(company.premises.farm("servers", "orphans")) == []


def the_day_ends(company: Company) -> None:
    """Five hours later for clouds and farm, everybody deletes what they have."""
    clock = MovedClock(company.folder / "ahead")
    clock.leap(5 * HOURS)
    company.outside.pass_by(5 * HOURS)
    with company.premises.left_to_a_worker(clock, LATER):
        for agent, keeper in company.keepers.items():
            how = ("--yes", "--without-backup", "--no-wait", "--as", keeper.email)
            company.premises.farm("agents", "delete", agent, *how)
        until(company.books.all_gone, SECONDS)
        assert company.outside.things() == []
        clock.leap(5 * MINUTES)
        until(company.books.all_metered, SECONDS)


def statements_are_the_invoices(company: Company) -> None:
    """Alice's two payers had machines at one cloud, Bruno's at the other."""
    readers = {
        "hetzner": [
            (company.emil, company.payer(company.alice)),
            (company.emil, company.payer(company.alice, "Research")),
        ],
        "scaleway": [(company.cleo, company.payer(company.bruno))],
    }
    for cloud, payers in readers.items():
        invoice = company.outside.invoice(cloud)
        assert company.books.written(cloud) == invoice
        charged = [
            sum(reader.statement_of(payer, month).machine for month in company.outside.months())
            for reader, payer in payers
        ]
        assert all(charged)
        assert sum(charged) + company.books.borne(cloud) == sum(invoice.values())
        print(f"           {cloud}: {charged} micros are charged of {sum(invoice.values())}")
    research = readers["hetzner"][1][1]
    months = company.outside.months()
    assert sum(company.emil.statement_of(research, month).ai for month in months) > 0
