"""What the operator is to do, each line with the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.agents.clouds import NAMES, SETTINGS, clouds
from farm.agents.models import Agent, AgentPhase, BudgetRequest, Pool, Watch
from farm.agents.projects import FULL
from farm.agents.selectors.backups import backup_health
from farm.agents.selectors.fleet import due_rows, last_beat, orphans, provider_pauses
from farm.agents.selectors.morning.rescues import rescues_to_do
from farm.agents.selectors.morning.todo import Todo
from farm.agents.selectors.retirements import retirements_soon
from farm.agents.sentences import sentence_for
from farm.billing.bills import trouble as bills_trouble
from farm.billing.differences import differences
from farm.billing.stripe_events import trouble as stripe_trouble

SILENCE = timedelta(seconds=60)
STUCK = timedelta(minutes=10)


def todos_at(now: datetime) -> Sequence[Todo]:
    """The most pressing first."""
    return [
        *_worker(now),
        *_clouds(),
        *_silent(),
        *_failed(),
        *_backups(now),
        *rescues_to_do(now),
        *_stripe(now),
        *_books(),
        *_asks(),
        *_orphans(),
        *_retirements(now),
        *_pools(),
    ]


def _worker(now: datetime) -> Iterator[Todo]:
    beat = last_beat()
    if beat is None or now - beat > SILENCE:
        sentence = _("No worker is alive: nothing moves, nothing is counted, nobody is answered.")
        yield Todo("no_worker", sentence, "farm doctor")
    elif number := due_rows(now - STUCK):
        text = _("{number} rows have waited for more than ten minutes.")
        yield Todo("stuck", format_lazy(text, number=number), "farm doctor")


def _clouds() -> Iterator[Todo]:
    for pause in provider_pauses():
        text = _("{provider}: {sentence} {detail}")
        sentence = format_lazy(
            text, provider=pause.provider, sentence=pause.sentence.what, detail=pause.detail
        )
        yield Todo(pause.code, sentence, command_that_mends(pause.code))


def command_that_mends(code: str) -> str:
    """What tells whether a cloud works again; a full account is helped by trying another one."""
    others = [SETTINGS[name] for name in NAMES if name not in clouds()]
    if code != FULL or not others:
        return "farm doctor"
    return f"{' '.join(f'{name}=...' for name in others[0])} farm doctor"


def _orphans() -> Iterator[Todo]:
    if strays := orphans():
        sentence = format_lazy(
            _("{number} things at the clouds are nobody's: {amount} {currency} an hour."),
            number=len(strays),
            amount=f"{sum(stray.hourly_micros for stray in strays) / 1_000_000:.4f}",
            currency=strays[0].currency,
        )
        yield Todo("orphans", sentence, "farm servers orphans")


def _retirements(now: datetime) -> Iterator[Todo]:
    for row in retirements_soon(now):
        sentence = format_lazy(
            _("{cloud} stops selling {what} on {day}, which the farm uses or has on sale."),
            cloud=row.provider,
            what=f"{row.name} {row.location}".rstrip(),
            day=f"{row.ends_at:%Y-%m-%d}",
        )
        yield Todo("retirement", sentence, "farm doctor")


def _pools() -> Iterator[Todo]:
    for pool in Pool.objects.filter(reason="machines_do_not_start"):
        text = _("The pool of {plan} in {region} is not filled: its machines do not come up.")
        sentence = format_lazy(text, plan=pool.plan, region=pool.region)
        yield Todo("pool", sentence, "farm pool")


def _silent() -> Iterator[Todo]:
    silent = Watch.objects.filter(told_at__isnull=False, agent__phase=AgentPhase.RUNNING)
    for watch in silent.select_related("agent__owner").order_by("silent_since"):
        agent = watch.agent
        sentence = format_lazy(
            _("{agent} of {owner} does not answer: {why}"),
            agent=agent.name,
            owner=agent.owner.email,
            why=watch.why,
        )
        yield Todo("silent", sentence, f"farm agents logs {agent.uid}", agent.uid)


def _failed() -> Iterator[Todo]:
    failed = Agent.objects.filter(phase=AgentPhase.FAILED, wanted=Agent.Wanted.RUNNING)
    for agent in failed.select_related("owner").order_by("phase_since"):
        sentence = format_lazy(
            _("{agent} of {owner} failed: {why}"),
            agent=agent.name,
            owner=agent.owner.email,
            why=sentence_for(agent.reason).what,
        )
        yield Todo(agent.reason, sentence, f"farm agents show {agent.uid}", agent.uid)


def _backups(now: datetime) -> Iterator[Todo]:
    health = backup_health(now)
    if health.trouble:
        sentence = format_lazy(_("The store of backups: {why}"), why=health.trouble)
        yield Todo("backup_store", sentence, "farm doctor")
    for agent in health.late:
        text = _("{agent} of {owner} has no backup of the last day and a half.")
        sentence = format_lazy(text, agent=agent.name, owner=agent.owner.email)
        yield Todo("backup_late", sentence, f"farm agents backup {agent.uid}", agent.uid)
    for agent in health.unsaved:
        text = _("{agent} of {owner} is to be deleted, but what it has could not be saved.")
        sentence = format_lazy(text, agent=agent.name, owner=agent.owner.email)
        yield Todo("backup_final", sentence, f"farm agents logs {agent.uid}", agent.uid)


def _stripe(now: datetime) -> Iterator[Todo]:
    if why := stripe_trouble():
        sentence = format_lazy(_("Stripe's events wait: {why}"), why=why)
        yield Todo("stripe", sentence, "farm doctor")
    if why := bills_trouble(now):
        yield Todo("bills", format_lazy(_("Bills wait: {why}"), why=why), "farm billing bills")


def _books() -> Iterator[Todo]:
    if number := differences().count():
        text = _("The books and the clouds do not agree; differences: {number}.")
        yield Todo("books_differ", format_lazy(text, number=number), "farm billing reconcile")


def _asks() -> Iterator[Todo]:
    """Nothing waits for a yes longer than it takes to say it."""
    asks = BudgetRequest.objects.filter(state=BudgetRequest.State.OPEN).order_by("asked_at")
    for ask in asks.select_related("agent__owner"):
        text = _("{agent} of {owner} has used its AI budget up and asks for more.")
        sentence = format_lazy(text, agent=ask.agent.name, owner=ask.agent.owner.email)
        yield Todo("budget_asked", sentence, f"farm agents budget {ask.agent.uid}", ask.agent.uid)
