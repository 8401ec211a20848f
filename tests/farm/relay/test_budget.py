"""A budget holds to the micro-euro, however many ask at once, and its end is told once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from farm.billing.ai_calls import (
    Ask,
    BudgetBusy,
    BudgetUsedUp,
    Outcome,
    Spender,
    TooManyCalls,
    reserve,
    settle,
    settle_lost,
)
from farm.billing.ai_prices import WorstCase
from farm.billing.ai_rows import AiCall, AiDay, AiMonth
from tests.farm.relay.actors import EUR, an_agent, books, calling
from tests.farm.relay.test_dialects import ANTHROPIC, STREAMED, WHOLE, Way, events, said_by

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
USED_UP = "I have reached my budget of"


def an_ask(read: int = 1_000, micros: str = "10", written: int = 1_000) -> Ask:
    worst = WorstCase(Decimal(read), Decimal(micros))
    return Ask("openai", "gpt-5.4", worst, written, 1, NOW + timedelta(minutes=11))


def a_spender(budget: int, per_minute: int = 1_000) -> Spender:
    return Spender("agent0000000", "Ada", "key000000000", budget, per_minute)


@pytest.mark.django_db
def test_what_is_set_aside_is_let_go_of_and_counted_once() -> None:
    held = reserve(a_spender(EUR), an_ask(), NOW)
    month = AiMonth.objects.get()
    assert (month.spent_micros, month.reserved_micros) == (0, 11_000)
    seen = Outcome(AiCall.State.SEEN, 700, 20, 30)
    assert settle(held.call_id, seen, NOW)
    assert not settle(held.call_id, seen, NOW)
    assert settle_lost(NOW + timedelta(days=1)) == 0
    month.refresh_from_db()
    assert (month.spent_micros, month.reserved_micros) == (700, 0)
    day = AiDay.objects.get()
    assert (day.calls, day.cost_micros, day.input_tokens, day.output_tokens) == (1, 700, 20, 30)


@pytest.mark.django_db
def test_a_long_answer_is_cut_to_what_is_left() -> None:
    held = reserve(a_spender(5_000), an_ask(), NOW)
    assert held.most_written == 400
    assert AiMonth.objects.get().reserved_micros == 5_000
    with pytest.raises(BudgetBusy):
        reserve(a_spender(5_000), an_ask(), NOW)
    settle(held.call_id, Outcome(AiCall.State.SEEN, 4_900), NOW)
    with pytest.raises(BudgetUsedUp) as told:
        reserve(a_spender(5_000), an_ask(), NOW)
    assert told.value.first
    with pytest.raises(BudgetUsedUp) as again:
        reserve(a_spender(5_000), an_ask(), NOW)
    assert not again.value.first
    assert reserve(a_spender(20_000), an_ask(), NOW).most_written == 1_000
    assert reserve(a_spender(5_000), an_ask(), NOW + timedelta(days=8)).most_written == 400


@pytest.mark.django_db
def test_a_call_lost_with_its_relay_counts_at_its_worst_case() -> None:
    reserve(a_spender(EUR), an_ask(), NOW)
    assert settle_lost(NOW + timedelta(minutes=10)) == 0
    assert settle_lost(NOW + timedelta(minutes=12)) == 1
    assert settle_lost(NOW + timedelta(minutes=12)) == 0
    month, call, day = AiMonth.objects.get(), AiCall.objects.get(), AiDay.objects.get()
    assert call.state == AiCall.State.UNSEEN
    assert (month.spent_micros, month.reserved_micros) == (11_000, 0)
    assert (day.unseen_calls, day.unseen_micros, day.cost_micros) == (1, 11_000, 11_000)


@pytest.mark.django_db
def test_no_more_calls_in_any_minute_than_agreed() -> None:
    spender = a_spender(EUR, per_minute=3)
    for second in (0, 20, 40):
        reserve(spender, an_ask(), NOW + timedelta(seconds=second))
    with pytest.raises(TooManyCalls) as many:
        reserve(spender, an_ask(), NOW + timedelta(seconds=50))
    assert many.value.retry_after == 11
    reserve(spender, an_ask(), NOW + timedelta(seconds=61))
    with pytest.raises(TooManyCalls):
        reserve(spender, an_ask(), NOW + timedelta(seconds=62))


@pytest.mark.django_db
@hypothesis_settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3_000), st.integers(1, 900), st.sampled_from(list(AiCall.State)[1:])
        ),
        max_size=12,
    ),
    st.integers(1, 20_000),
)
def test_the_books_agree_whatever_happens(
    calls: list[tuple[int, int, AiCall.State]], budget: int
) -> None:
    for model in (AiMonth, AiCall, AiDay):
        model.objects.all().delete()
    under_way: list[tuple[int, int, AiCall.State]] = []
    for read, written, state in calls:
        try:
            held = reserve(a_spender(budget), an_ask(read, "1.7", written), NOW)
        except (BudgetBusy, BudgetUsedUp):
            continue
        under_way.append((held.call_id, read // 2, state))
        month = AiMonth.objects.get()
        assert month.spent_micros + month.reserved_micros <= budget
        if len(under_way) > 2:
            _settle(*under_way.pop(0))
    for each in under_way:
        _settle(*each)
    spent = sum(call.cost_micros for call in AiCall.objects.all())
    assert sum(day.cost_micros for day in AiDay.objects.all()) == spent <= budget
    for month in AiMonth.objects.all():
        assert (month.spent_micros, month.reserved_micros) == (spent, 0)


def _settle(call_id: int, micros: int, state: AiCall.State) -> None:
    settle(call_id, Outcome(state, micros if state == AiCall.State.SEEN else 0), NOW)


def test_many_at_once_never_spend_more_than_the_budget(
    relay: str, upstream: str, settings: Settings
) -> None:
    settings.RELAY_CALLS_PER_MINUTE = 1_000
    cast = an_agent(upstream, "anthropic", budget=20_000)
    with calling(relay, cast) as client, ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: client.post("/messages", json=ANTHROPIC.body), range(60)))
    month, calls, days = books(cast)
    assert {answer.status_code for answer in answers} <= {200, 429}
    assert month.spent_micros == sum(call.cost_micros for call in calls) <= 20_000
    assert month.reserved_micros == 0
    assert sum(day.cost_micros for day in days) == month.spent_micros
    served = [answer for answer in answers if answer.status_code == 200]
    said = [answer for answer in served if "budget" not in said_by(answer.json())]
    assert len(said) == len(calls)


@pytest.mark.parametrize(
    "way", [*WHOLE, *STREAMED], ids=lambda way: f"{way}{way.body.get('stream')}"
)
def test_out_of_budget_is_a_normal_answer(relay: str, upstream: str, way: Way) -> None:
    cast = an_agent(upstream, way.provider, budget=1)
    with calling(relay, cast) as client:
        first, second = (client.post(way.path, json=way.body) for _ in range(2))
    assert first.status_code == second.status_code == 200
    streams = first.headers["content-type"].startswith("text/event-stream")
    assert streams == (way in STREAMED)
    told = [said_by(events(a.text)) if streams else said_by(a.json()) for a in (first, second)]
    assert USED_UP in told[0]
    assert "[Ask for 5.00\N{NO-BREAK SPACE}EUR more]" in told[0]
    assert f"/agents/{cast.agent.uid}/budget/" in told[0]
    assert USED_UP not in told[1]
    assert "still used up" in told[1]
    assert not AiCall.objects.filter(agent_uid=cast.agent.uid).exists()


def test_it_is_told_in_the_agents_language(relay: str, upstream: str) -> None:
    cast = an_agent(upstream, "anthropic", budget=10 * EUR)
    cast.agent.language, cast.agent.ai_budget_micros = "fr", 1_000
    cast.agent.save()
    with calling(relay, cast) as client:
        answer = client.post("/messages", json=ANTHROPIC.body)
    assert "J'ai atteint mon budget de" in said_by(answer.json())
    assert "[Demander 5,00\N{NO-BREAK SPACE}EUR de plus]" in said_by(answer.json())


def test_too_many_calls_are_told_when_to_come_back(
    relay: str, upstream: str, settings: Settings
) -> None:
    settings.RELAY_CALLS_PER_MINUTE = 2
    cast = an_agent(upstream, "anthropic")
    with calling(relay, cast) as client:
        answers = [client.post("/messages", json=ANTHROPIC.body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["error"]["type"] == "rate_limit_error"
    assert 0 < int(answers[2].headers["retry-after"]) <= 61


def test_the_answer_is_cut_upstream_too(
    relay: str, upstream: str, control: httpx.Client, settings: Settings
) -> None:
    """What the relay sends is what it set aside for."""
    settings.USD_EUR = "1"
    # 15 USD a million: 15 micros a token; the body's bytes at 6 USD, 6 micros each.
    body = len(json.dumps(ANTHROPIC.body, separators=(",", ":")))
    cast = an_agent(upstream, "anthropic", budget=body * 6 + 300 * 15)
    with calling(relay, cast) as client:
        assert client.post("/messages", json=ANTHROPIC.body).status_code == 200
    _, [call], _ = books(cast)
    assert call.reserved_micros == body * 6 + 300 * 15
