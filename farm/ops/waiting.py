"""Waits until an agent is where it was asked to be, and shows how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import typer
from django.utils import timezone
from rich.live import Live

from farm.agents.models import Agent, AgentPhase, Offer, Operation, OperationState
from farm.agents.selectors import Progress, last_beat, progress_of, waits_for_word
from farm.agents.selectors.progress import LineState
from farm.ops.answer import Trouble, console
from farm.ops.progress_view import progress_view, step_line

LOOK_SECONDS = 0.5
PRICES_SECONDS = 20.0
SILENCE = timedelta(seconds=60)
Show = Callable[[Progress], None]


def wait_for_phase(agent: Agent, phase: AgentPhase, *, seconds: int, quiet: bool) -> None:
    """Return once the agent is in that phase, and nothing more is under way.

    Trouble when it failed, is not there in time, or nobody is driving it.
    """
    deadline = time.monotonic() + seconds
    with _showing(quiet=quiet) as show:
        while agent.phase != phase or agent.fulfilled_generation != agent.generation:
            progress = progress_of(agent, timezone.now())
            show(progress)
            _give_up_if_hopeless(agent, progress, phase)
            if time.monotonic() > deadline:
                raise _too_long(agent, progress, seconds)
            time.sleep(LOOK_SECONDS)
            agent.refresh_from_db()
        show(progress_of(agent, timezone.now()))


def wait_for_operation(agent: Agent, operation: Operation, *, seconds: int, quiet: bool) -> None:
    """Return once that wish is fulfilled; Trouble when it failed, another took its place, it is not
    done in time, or nobody is driving it.
    """
    deadline = time.monotonic() + seconds
    with _showing(quiet=quiet) as show:
        while operation.state == OperationState.UNDER_WAY:
            progress = progress_of(agent, timezone.now())
            show(progress)
            _give_up_if_hopeless(agent, progress, AgentPhase.RUNNING)
            if time.monotonic() > deadline:
                raise _too_long(agent, progress, seconds)
            time.sleep(LOOK_SECONDS)
            operation.refresh_from_db()
            agent.refresh_from_db()
        progress = progress_of(agent, timezone.now())
        show(progress)
    if operation.state == OperationState.FAILED:
        raise Trouble(_why(progress, f"{agent.name}: it failed."), code=agent.reason or "failed")
    if operation.state == OperationState.REPLACED:
        raise Trouble(f"{agent.name}: a later wish took its place.", code="replaced")


def wait_for_prices() -> None:
    """Right after its first start a farm is still reading the cloud's price list: give it time."""
    deadline = time.monotonic() + PRICES_SECONDS
    while not Offer.objects.exists() and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)


@contextmanager
def _showing(*, quiet: bool) -> Iterator[Show]:
    """How progress is shown: in place in a terminal, line by line in a pipe, not at all."""
    if quiet:
        yield lambda _: None
    elif sys.stdout.isatty():
        with Live(console=console(), refresh_per_second=4) as live:
            yield lambda progress: live.update(progress_view(progress))
    else:
        yield _line_by_line()


def _line_by_line() -> Show:
    told: set[str] = set()

    def show(progress: Progress) -> None:
        for line in progress.lines:
            if line.state == LineState.DONE and line.key not in told:
                told.add(line.key)
                typer.echo(step_line(line))

    return show


def _give_up_if_hopeless(agent: Agent, progress: Progress, phase: AgentPhase) -> None:
    if progress.state == OperationState.FAILED:
        raise Trouble(_why(progress, f"{agent.name} failed."), code=agent.reason or "failed")
    if waits_for_word(agent, timezone.now()):
        raise Trouble(
            f"{_why(progress, '')} Say `farm agents delete {agent.uid} --without-backup`.",
            code="final_backup_failed",
        )
    if agent.wanted == Agent.Wanted.DELETED and phase != AgentPhase.DELETED:
        raise Trouble(f"{agent.name} is being deleted.", code="agent_gone")
    if progress.elapsed_seconds > SILENCE.total_seconds() and not _somebody_works():
        raise Trouble(
            "No worker is running, so nothing moves: start one with `farm worker`, or the whole"
            " farm with `farm up`. What was asked for is kept.",
            code="no_worker",
        )


def _somebody_works() -> bool:
    beat = last_beat()
    return beat is not None and timezone.now() - beat < SILENCE


def _too_long(agent: Agent, progress: Progress, seconds: int) -> Trouble:
    why = _why(progress, "It takes longer than usual.")
    return Trouble(
        f"{agent.name} is not there after {seconds} s. {why} It goes on; see"
        f" `farm agents show {agent.uid}`.",
        code="timeout",
    )


def _why(progress: Progress, otherwise: str) -> str:
    waiting = progress.waiting
    return f"{waiting.sentence} {waiting.next_sentence}".strip() if waiting else otherwise
