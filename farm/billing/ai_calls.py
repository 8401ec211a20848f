"""What is spent on a shared model key: set aside before a call, counted after it.

The rule for what nobody saw: a call that its provider refused costs nothing; one whose usage was
seen costs that; any other, cut off or lost with its relay, is counted at what was set aside for it
and marked as unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F

from farm.billing.ai_prices import WorstCase
from farm.billing.ai_room import PayerUsedUp, ai_room
from farm.billing.ai_rows import AiCall, AiDay, AiMonth
from farm.billing.payers import assignment_at
from farm.billing.rule import month_of

MINUTE = timedelta(minutes=1)
LEAST_WRITTEN = 256
"""An answer shorter than this is none: with less left, the budget is used up."""


@dataclass(frozen=True, slots=True)
class Spender:
    """Who spends: an agent with its key, its budget a month in micro-euros, and its pace.

    `payer_uid` is who lends the key; "" charges whoever pays for the agent.
    """

    agent_uid: str
    agent_name: str
    key_uid: str
    budget_micros: int
    calls_per_minute: int
    payer_uid: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """A call before it is made: how many tokens its answer may have, and must be able to have."""

    provider: str
    model: str
    worst: WorstCase
    most_written: int
    least_written: int
    ends_by: datetime


@dataclass(frozen=True, slots=True)
class Reservation:
    """A call that may be made, with the tokens that its answer may have at most."""

    call_id: int
    most_written: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. `micros` counts when it was seen; unseen, what was set aside does."""

    state: AiCall.State
    micros: int = 0
    read: int = 0
    wrote: int = 0


class TooManyCalls(Exception):  # noqa: N818
    """The agent has made its calls of this minute; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after


class BudgetBusy(Exception):  # noqa: N818
    """What is left of the budget is set aside for calls under way: try again in a moment."""


class BudgetUsedUp(Exception):  # noqa: N818
    """Nothing is left of this month's budget; `first` until the agent has told so."""

    def __init__(self, *, first: bool) -> None:
        super().__init__("this month's budget is used up")
        self.first = first


def reserve(spender: Spender, ask: Ask, now: datetime) -> Reservation:
    """Set the worst case aside; a long answer is cut to what the budget and its payer still bear.

    Raises TooManyCalls, BudgetBusy, BudgetUsedUp or PayerUsedUp. However many relays ask at once,
    what is spent and set aside together never exceeds the budget, nor what its payer can pay.
    """
    with transaction.atomic():
        month = _held_month(spender.agent_uid, now)
        _demand_pace(spender, now)
        left = spender.budget_micros - month.spent_micros
        least = max(ask.least_written, min(LEAST_WRITTEN, ask.most_written))
        used_up = ask.worst.most_written(left) < least
        if not used_up:
            free = min(left - month.reserved_micros, _borne(spender, ask, least, now))
            return _set_aside(spender, ask, now, free, least)
        first = month.told_budget_micros != spender.budget_micros
        AiMonth.objects.filter(pk=month.pk).update(told_budget_micros=spender.budget_micros)
    raise BudgetUsedUp(first=first)


@transaction.atomic
def settle(call_id: int, outcome: Outcome, now: datetime) -> bool:
    """Count the call once, and let go of what was set aside; False if it was counted before."""
    call = AiCall.objects.select_for_update().filter(pk=call_id, state=AiCall.State.OPEN).first()
    if call is None:
        return False
    _count(call, outcome, now)
    return True


def settle_lost(now: datetime) -> int:
    """Count every call that was lost with its relay, as unseen; how many there were."""
    lost = AiCall.objects.filter(state=AiCall.State.OPEN, ends_by__lt=now)
    unseen = Outcome(AiCall.State.UNSEEN)
    return sum(settle(pk, unseen, now) for pk in lost.values_list("pk", flat=True)[:500])


def _held_month(agent_uid: str, now: datetime) -> AiMonth:
    """The agent's row of this month, held by this transaction: others wait for it."""
    month = month_of(now)
    held = AiMonth.objects.select_for_update().filter(agent_uid=agent_uid, month=month)
    if found := held.first():
        return found
    AiMonth.objects.get_or_create(agent_uid=agent_uid, month=month)
    return held.get()


def _demand_pace(spender: Spender, now: datetime) -> None:
    """The last minute slides: a burst at its edge is no way around."""
    calls = AiCall.objects.filter(agent_uid=spender.agent_uid, opened_at__gt=now - MINUTE)
    limit = spender.calls_per_minute
    recent = list(calls.order_by("-opened_at").values_list("opened_at", flat=True)[:limit])
    if len(recent) >= limit:
        wait = recent[-1] + MINUTE - now
        raise TooManyCalls(max(1, int(wait.total_seconds()) + 1))


def _borne(spender: Spender, ask: Ask, least: int, now: datetime) -> int:
    """What its payer can pay of it; PayerUsedUp where that is too little, also in a moment."""
    said = assignment_at(spender.agent_uid, now)
    payer_uid = spender.payer_uid or (said.payer.uid if said else "")
    room = ai_room(payer_uid, said.person_email if said else "", now)
    if room is None:
        return spender.budget_micros
    if ask.worst.most_written(room.free + room.under_way) < least:
        raise PayerUsedUp(room)
    return room.free


def _set_aside(spender: Spender, ask: Ask, now: datetime, free: int, least: int) -> Reservation:
    written = min(ask.most_written, ask.worst.most_written(free))
    if written < least:
        raise BudgetBusy
    micros = ask.worst.micros(written)
    month = AiMonth.objects.filter(agent_uid=spender.agent_uid, month=month_of(now))
    month.update(reserved_micros=F("reserved_micros") + micros)
    call = _open_call(spender, ask, micros, now)
    return Reservation(call.pk, written)


def _open_call(spender: Spender, ask: Ask, micros: int, now: datetime) -> AiCall:
    assignment = assignment_at(spender.agent_uid, now)
    payer_uid = assignment.payer.uid if assignment else ""
    return AiCall.objects.create(
        agent_uid=spender.agent_uid,
        agent_name=spender.agent_name,
        key_uid=spender.key_uid,
        opened_at=now,
        ends_by=ask.ends_by,
        provider=ask.provider,
        model=ask.model[:120],
        reserved_micros=micros,
        payer_uid=spender.payer_uid or payer_uid,
        cost_centre=assignment.cost_centre if assignment else "",
        person_email=assignment.person_email if assignment else "",
    )


def _count(call: AiCall, outcome: Outcome, now: datetime) -> None:
    unseen = outcome.state == AiCall.State.UNSEEN
    micros = call.reserved_micros if unseen else outcome.micros
    month = AiMonth.objects.filter(agent_uid=call.agent_uid, month=month_of(call.opened_at))
    month.update(
        spent_micros=F("spent_micros") + micros,
        reserved_micros=F("reserved_micros") - call.reserved_micros,
    )
    call.state, call.ended_at, call.cost_micros = outcome.state, now, micros
    call.input_tokens, call.output_tokens = outcome.read, outcome.wrote
    call.save(update_fields=["state", "ended_at", "cost_micros", "input_tokens", "output_tokens"])
    if outcome.state != AiCall.State.FREE:
        _add_to_day(call, unseen=unseen)


def _add_to_day(call: AiCall, *, unseen: bool) -> None:
    day, _ = AiDay.objects.get_or_create(
        agent_uid=call.agent_uid,
        day=call.opened_at.astimezone(UTC).date(),
        payer_uid=call.payer_uid,
        cost_centre=call.cost_centre,
        person_email=call.person_email,
        provider=call.provider,
        model=call.model,
        defaults={"agent_name": call.agent_name},
    )
    AiDay.objects.filter(pk=day.pk).update(
        calls=F("calls") + 1,
        input_tokens=F("input_tokens") + call.input_tokens,
        output_tokens=F("output_tokens") + call.output_tokens,
        cost_micros=F("cost_micros") + call.cost_micros,
        unseen_calls=F("unseen_calls") + (1 if unseen else 0),
        unseen_micros=F("unseen_micros") + (call.cost_micros if unseen else 0),
    )
