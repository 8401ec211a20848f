"""A cloud's change of prices: told before, in force from its date, within what was agreed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Final

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from farm.accounts.models import Door
from farm.agents.models import (
    Agent,
    AgentPhase,
    Meter,
    Offer,
    OperationKind,
    OperationState,
    Power,
    Server,
    ServerPhase,
)
from farm.agents.price_news import price_news
from farm.agents.reconciler.agents import drive_agent
from farm.agents.reconciler.claims import claim
from farm.agents.reconciler.metering import drive_meter, ensure_meter, meter
from farm.agents.refusals import Refused
from farm.agents.selectors.prices import wake_quote
from farm.agents.services import wake_agent
from farm.agents.services.operations import begin
from farm.agents.services.prices import PriceWish, agree_to_price, announce_price
from farm.billing.models import Assignment, Kind, PriceRow, UsageLine
from farm.billing.price_change_rows import PriceChange
from farm.billing.prices import Rate, pin_prices
from farm.billing.selectors import rate_of
from tests.farm.billing.scenes import MONTHLY, agent_of, machine_of, offer, swept
from tests.farm.web.scenes import People, people

HOUR = timedelta(hours=1)
NOW: Final = timezone.now()
DAY = (NOW + timedelta(days=20)).date()
DATE = datetime.combine(DAY, time(), tzinfo=UTC)
WISH = PriceWish("hetzner", "cx23", "nbg1", DAY, Decimal("0.0090"), Decimal("5.60"))


@pytest.fixture
def us(db: None) -> People:
    """Alice, Bob and Charlie; Alice runs the farm, Bob has an agent on a cx23 in Nuremberg."""
    three = people()
    three.alice.is_superuser = True
    three.alice.save()
    offer("cx23", 6_400)
    machine_of(agent_of(three.bob, three.account, at=NOW - HOUR), created=NOW, serving=NOW)
    return three


def announced(us: People, wish: PriceWish = WISH) -> PriceChange:
    """Told by its operator, and to whom it is for."""
    change = announce_price(actor=us.alice, door=Door.CLI, wish=wish)
    ensure_meter(NOW)
    claimed = claim(Meter, 1, timezone.now())
    assert claimed is not None
    drive_meter(claimed)
    return change


def metered(until: datetime) -> None:
    swept(until)
    meter(until + timedelta(minutes=2))


def shown(client: Client, agent: Agent) -> str:
    """Its page."""
    return client.get(f"/agents/{agent.uid}/").content.decode()


def test_whoever_has_an_agent_or_pays_for_it_is_told_once(us: People) -> None:
    machine_of(agent_of(us.charlie, us.account, "Cyd"), created=NOW, gone=NOW + HOUR)
    announced(us)
    assert {to for letter in mail.outbox for to in letter.to} == {us.alice.email, us.bob.email}
    told = mail.outbox[0].body
    assert "0.0072\xa0EUR / h (4.49\xa0EUR) -> 0.0098\xa0EUR / h (6.10\xa0EUR)" in told
    assert "Ada" in told
    assert "more than was agreed to" in told
    mail.outbox.clear()
    drive_meter(claim(Meter, 1, timezone.now() + HOUR) or pytest.fail("nobody drives the meter"))
    assert mail.outbox == []


def test_from_its_date_on_hours_cost_that_and_the_month_is_counted_on(us: People) -> None:
    announced(us)
    Assignment.objects.update(monthly_micros=100 * MONTHLY)
    metered(DATE + 5 * HOUR)
    lines = UsageLine.objects.filter(kind=Kind.SERVER)
    after = lines.filter(began_at__gte=DATE)
    assert set(after.values_list("cloud_micros", flat=True)) == {9_000}
    assert not PriceRow.objects.filter(counts_anew=True).exists()
    before = lines.filter(began_at__lt=DATE, capped=False)
    assert set(before.values_list("cloud_micros", flat=True)) == {6_400}
    metered(DATE + 9 * HOUR)
    assert PriceRow.objects.filter(valid_from=DATE).count() == 1


def test_a_machine_that_came_after_the_date_keeps_its_own_price(us: People) -> None:
    announced(us)
    later = machine_of(agent_of(us.alice, us.account, "Bea"), created=DATE + HOUR)
    resized = Server.objects.get(agent__name="Ada")
    PriceRow.objects.create(
        server_uid=resized.uid, kind=Kind.SERVER, valid_from=DATE, hourly_micros=1, currency="EUR"
    )
    metered(DATE + 5 * HOUR)
    for server, hourly in ((later, 7_200), (resized, 801)):
        rate = rate_of(server.uid)
        assert rate is not None
        assert rate.hourly_micros == hourly


def test_until_somebody_agrees_a_month_costs_no_more_than_was_agreed(us: People) -> None:
    announced(us)
    agent = Agent.objects.get(name="Ada")
    metered(DATE + timedelta(days=70))
    months = UsageLine.objects.order_by().values("month")
    sums = months.annotate(sum=Sum("micros"), cloud=Sum("cloud_micros"))
    assert max(row["sum"] for row in sums) == MONTHLY
    assert max(row["cloud"] for row in sums) == 6_100_000
    news = price_news(agent, DATE)
    assert news is not None
    agree_to_price(actor=us.bob, door=Door.WEB, agent=agent, hourly_micros=news.rate.hourly_micros)
    agent.refresh_from_db()
    assert (agent.agreed_hourly_micros, agent.agreed_monthly_micros) == (9_800, 6_100_000)
    assert price_news(agent, DATE) is None


def test_its_page_asks_to_agree_before_the_date(us: People, client: Client) -> None:
    announced(us)
    agent = Agent.objects.get(name="Ada")
    begin(agent, OperationKind.CREATE, NOW)
    agent.operations.update(state=OperationState.DONE)
    client.force_login(us.bob)
    assert "Agree to at most 6.10\xa0EUR a month" in shown(client, agent)
    path = f"/agents/{agent.uid}/price/"
    client.post(path, {"seen": "7200"})
    assert "Agree to at most" in shown(client, agent)
    assert client.post(path, {"seen": "9800"}).status_code == 302
    assert "Agree to at most" not in shown(client, agent)


@pytest.mark.parametrize(
    ("field", "wish"),
    [
        ("server_type", PriceWish("hetzner", "cx99", "nbg1", DAY, Decimal(1), Decimal(1))),
        ("monthly", PriceWish("hetzner", "cx23", "nbg1", DAY, Decimal(1), None)),
        ("hourly", PriceWish("hetzner", "cx23", "nbg1", DAY, Decimal(-1), Decimal(1))),
        ("day", PriceWish("hetzner", "cx23", "nbg1", NOW.date(), Decimal(1), Decimal(1))),
    ],
)
def test_what_cannot_be_told_is_refused_at_its_field(
    us: People, field: str, wish: PriceWish
) -> None:
    with pytest.raises(Refused) as refused:
        announce_price(actor=us.alice, door=Door.CLI, wish=wish)
    assert refused.value.field == field
    assert not PriceChange.objects.exists()


def test_nobody_but_the_operator_tells_of_prices_and_nobody_agrees_for_others(us: People) -> None:
    with pytest.raises(PermissionDenied):
        announce_price(actor=us.bob, door=Door.CLI, wish=WISH)
    announced(us)
    agent = Agent.objects.get(name="Ada")
    with pytest.raises(PermissionDenied):
        agree_to_price(actor=us.charlie, door=Door.WEB, agent=agent, hourly_micros=9_800)


def test_a_machine_kept_asleep_above_what_was_agreed_waits_for_a_word(us: People) -> None:
    agent = agent_of(us.bob, us.account, "Sia", at=NOW)
    machine = machine_of(agent, created=NOW, serving=NOW)
    Server.objects.filter(pk=machine.pk).update(
        provider="scaleway", phase=ServerPhase.OFF, wanted_power=Power.ASLEEP
    )
    dearer = Rate(9_000, None, "EUR")
    PriceRow.objects.filter(server_uid=machine.uid).delete()
    pin_prices(server_uid=machine.uid, at=NOW, server=dearer, ipv4=Rate(1, None, "EUR"))
    Agent.objects.filter(pk=agent.pk).update(
        phase=AgentPhase.STOPPED, wanted=Agent.Wanted.STOPPED, generation=1
    )
    wake_agent(actor=us.bob, door=Door.WEB, agent=agent)
    for _ in range(3):
        driven(agent)
    agent.refresh_from_db()
    machine.refresh_from_db()
    assert (agent.phase, agent.reason) == (AgentPhase.WAKING, "price_rose")
    assert machine.wanted_power == Power.ASLEEP
    quote = wake_quote(agent)
    assert quote is not None
    assert quote.dearer
    assert quote.awake is not None
    wake_agent(actor=us.bob, door=Door.WEB, agent=agent, agreed=quote.awake)
    driven(agent)
    machine.refresh_from_db()
    agent.refresh_from_db()
    assert (machine.wanted_power, agent.reason) == (Power.ON, "")


def driven(agent: Agent) -> None:
    """One step of it, as a worker takes it."""
    Agent.objects.filter(pk=agent.pk).update(due_at=timezone.now())
    claimed = claim(Agent, agent.pk, timezone.now())
    assert claimed is not None
    drive_agent(claimed)
    claimed.close(None)


def test_an_unknown_price_is_refused(us: People) -> None:
    Offer.objects.all().delete()
    with pytest.raises(Refused):
        announce_price(actor=us.alice, door=Door.CLI, wish=WISH)
