"""`farm agents schedule`: when an agent sleeps by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from django.utils import timezone

from farm.accounts.models import Door, User
from farm.agents.models import Agent
from farm.agents.selectors.schedules import Rhythm, rhythm_of
from farm.agents.services import ScheduleWish, clear_schedule, keep_running, set_schedule
from farm.ops.agent_views import new_table
from farm.ops.answer import AsJson, Trouble, console, print_json
from farm.ops.finding import agent_called
from farm.ops.people import ActingAs, acting
from farm.ops.refusing import serving

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NONE = "none"
Which = Annotated[str, typer.Argument(metavar="AGENT", help="Its name or its uid.")]


def schedule(  # noqa: PLR0913  (one per option)
    which: Which,
    *,
    zone: Annotated[str, typer.Option(help="By the clock of, such as Europe/Paris.")] = "",
    hours: Annotated[
        list[str] | None,
        typer.Option(help='When it is awake, such as "mon-fri 08:00-20:00"; none for any time.'),
    ] = None,
    quiet: Annotated[
        list[str] | None,
        typer.Option(help="A date on which it stays asleep; none for no such day."),
    ] = None,
    idle: Annotated[
        int | None, typer.Option(min=0, help="Asleep after so many hours without use; 0: never.")
    ] = None,
    keep_until: Annotated[
        str, typer.Option(help='Kept awake until, such as "2026-12-24 18:00"; none: no longer.')
    ] = "",
    clear: Annotated[bool, typer.Option("--clear", help="Only when somebody says so.")] = False,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Show or set when an agent sleeps by itself; what is not named stays as it is."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        now = timezone.now()
        before = rhythm_of(agent, now)
        if clear:
            clear_schedule(actor=actor, door=Door.CLI, agent=agent)
        elif zone or hours or quiet or idle is not None:
            wish = ScheduleWish(
                zone=zone or before.zone,
                hours=_week(hours) if hours else before.hours,
                quiet_days=_named(quiet) if quiet else before.quiet_days,
                idle_hours=before.idle_hours if idle is None else idle or None,
            )
            set_schedule(actor=actor, door=Door.CLI, agent=agent, wish=wish)
        if keep_until:
            _keep(agent, actor, keep_until, zone or before.zone)
        _show(rhythm_of(agent, timezone.now()), as_json=as_json)


def _keep(agent: Agent, actor: User, text: str, zone: str) -> None:
    until = None if text == NONE else _moment(text, zone)
    keep_running(actor=actor, door=Door.CLI, agent=agent, until=until, zone=zone)


def _moment(text: str, zone: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))
    except (ValueError, KeyError):
        said = f'--keep-until: "{text}" is no moment: write one such as "2026-12-24 18:00".'
        raise Trouble(said, code="until", field="keep-until") from None


def _named(given: Sequence[str]) -> Sequence[str]:
    return [word for word in given if word != NONE]


def _week(given: Sequence[str]) -> Sequence[str]:
    week = [""] * len(DAYS)
    for text in _named(given):
        days, _, span = text.strip().lower().partition(" ")
        for day in _days(days, text):
            week[day] = span.strip()
    return week


def _days(text: str, whole: str) -> range:
    first, _, last = text.partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        said = f'--hours: "{whole}" has no days: write such as "mon-fri 08:00-20:00".'
        raise Trouble(said, code="hours", field="hours")
    return range(DAYS.index(first), DAYS.index(last or first) + 1)


def _show(rhythm: Rhythm, *, as_json: bool) -> None:
    if as_json:
        print_json(rhythm)
        return
    table = new_table("", "", head=False)
    for name, value in _facts(rhythm):
        if value:
            table.add_row(name, value)
    console().print(table)


def _facts(rhythm: Rhythm) -> Sequence[tuple[str, str]]:
    pairs = zip(DAYS, rhythm.hours, strict=True)
    hours = [f"{day} {span}" for day, span in pairs if span]
    sleeps = rhythm.sleeps
    return (
        ("Awake", ", ".join(hours) or "whenever nothing else puts it to sleep"),
        ("By the clock of", rhythm.zone if rhythm.is_set else ""),
        ("Quiet days", ", ".join(rhythm.quiet_days)),
        ("Asleep after", f"{rhythm.idle_hours} h without use" if rhythm.idle_hours else ""),
        ("Kept awake until", _local(rhythm.keep_until, rhythm)),
        ("Falls asleep", f"{_local(sleeps.at, rhythm)} ({sleeps.why})" if sleeps else ""),
        ("Wakes", _local(rhythm.wakes_at, rhythm)),
        ("Last used", _local(rhythm.used_at, rhythm)),
        ("Trouble", rhythm.trouble),
    )


def _local(at: datetime | None, rhythm: Rhythm) -> str:
    return f"{at.astimezone(ZoneInfo(rhythm.zone)):%F %H:%M}" if at else ""
