"""What the operator is to do, each line with the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.agents.models import Agent, AgentPhase, Watch
from farm.agents.selectors.fleet import due_rows, last_beat, provider_pauses
from farm.agents.sentences import sentence_for

SILENCE = timedelta(seconds=60)
STUCK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Todo:
    """`sentence` says what is wrong, `command` what mends it or shows more; `about` an agent."""

    code: str
    sentence: str | Promise
    command: str
    about: str = ""


def todos_at(now: datetime) -> Sequence[Todo]:
    """The most pressing first."""
    return [*_worker(now), *_clouds(), *_silent(), *_failed()]


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
        yield Todo(pause.code, sentence, "farm doctor")


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
