"""`farm agents backup|backups|restore`: what is kept of an agent, on the command line."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from farm.accounts.models import Door, User
from farm.agents.models import Agent, AgentPhase, Backup, BackupState
from farm.agents.selectors import keeping_of, kept_until
from farm.agents.sentences import sentence_for
from farm.agents.services import back_up, bring_back, restore_agent
from farm.ops.agent_views import new_table, print_agent, whole_agent
from farm.ops.agreeing import agree_to_bring_back
from farm.ops.answer import AsJson, Trouble, console, print_json
from farm.ops.finding import agent_called
from farm.ops.people import ActingAs, acting
from farm.ops.refusing import serving
from farm.ops.secret_files import secret_in
from farm.ops.waiting import LOOK_SECONDS, wait_for_phase

Which = Annotated[str, typer.Argument(metavar="AGENT", help="Its name or its uid.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Answer at once; a worker does the rest.")]
Seconds = Annotated[int, typer.Option("--timeout", min=1, help="How long to wait, in seconds.")]


@dataclass(frozen=True, slots=True)
class BackupRow:
    """One backup; `size` in bytes as it is kept, sealed."""

    uid: str
    kind: str
    state: str
    asked_at: datetime
    made_at: datetime | None
    expires_at: datetime | None
    size: int | None
    sha256: str
    store: str
    runtime_version: str
    reason: str


def backup(
    which: Which,
    *,
    email: ActingAs = "",
    no_wait: NoWait = False,
    timeout: Seconds = 600,
    as_json: AsJson = False,
) -> None:
    """Back an agent up now, and wait until the backup is kept."""
    with serving(as_json=as_json):
        actor = acting(email)
        asked = back_up(actor=actor, door=Door.CLI, agent=agent_called(which, actor))
        if not no_wait:
            _wait_until_kept(asked, timeout)
        _show([asked], as_json=as_json)


def backups(which: Which, *, email: ActingAs = "", as_json: AsJson = False) -> None:
    """List what is kept of an agent, the newest first."""
    with serving(as_json=as_json):
        agent = agent_called(which, acting(email))
        found = list(keeping_of(agent).backups)
        if found or as_json:
            _show(found, as_json=as_json)
        else:
            typer.echo(f"There is no backup of {agent.name} yet: `farm agents backup` makes one.")


def restore(
    which: Which,
    uid: Annotated[str, typer.Argument(metavar="[BACKUP]", help="Its uid; else the last.")] = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    model_key_file: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="The model key of one that was deleted: a file, or - for standard input.",
        ),
    ] = None,
    email: ActingAs = "",
    no_wait: NoWait = False,
    timeout: Seconds = 900,
    as_json: AsJson = False,
) -> None:
    """Bring an agent back to an older state, or back from its deletion, and wait for it."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        if agent.phase == AgentPhase.DELETED:
            agree_to_bring_back(agent, asked=yes or as_json)
            key = secret_in(model_key_file, "--model-key-file")
            bring_back(actor=actor, door=Door.CLI, agent=agent, model_key=key)
        else:
            _restore(agent, actor, _chosen(agent, uid), yes=yes)
        agent.refresh_from_db()
        if not no_wait:
            wait_for_phase(agent, AgentPhase.RUNNING, seconds=timeout, quiet=as_json)
        _show_agent(agent, actor, as_json=as_json)


def _restore(agent: Agent, actor: User, chosen: Backup, *, yes: bool) -> None:
    lost = f"What {agent.name} did since {chosen.made_at:%F %H:%M} UTC goes; it is saved first."
    if not yes and not sys.stdin.isatty():
        raise Trouble(f"{lost} Say --yes to restore it.", code="not_confirmed", field="yes")
    if not yes and not typer.confirm(f"{lost} Restore it?"):
        raise Trouble("Nothing was changed.", code="not_confirmed", field="yes")
    restore_agent(actor=actor, door=Door.CLI, agent=agent, backup=chosen)


def _chosen(agent: Agent, uid: str) -> Backup:
    kept = agent.backups.filter(state=BackupState.KEPT).order_by("-made_at")
    found = kept.filter(uid=uid).first() if uid else kept.first()
    if found is None:
        said = f"{agent.name} has no such backup: see `farm agents backups {agent.uid}`."
        raise Trouble(said, code="unknown", field="backup")
    return found


def _wait_until_kept(asked: Backup, seconds: int) -> None:
    deadline = time.monotonic() + seconds
    while asked.state not in (BackupState.KEPT, BackupState.FAILED):
        if time.monotonic() > deadline:
            raise Trouble(f"The backup is not made after {seconds} s; it goes on.", code="timeout")
        time.sleep(LOOK_SECONDS)
        asked.refresh_from_db()
    if asked.state == BackupState.FAILED:
        words = sentence_for(asked.reason)
        raise Trouble(f"{words.what} {words.next}".strip(), code=asked.reason)


def _show(found: Sequence[Backup], *, as_json: bool) -> None:
    rows = [_row(each) for each in found]
    if as_json:
        print_json(rows)
    else:
        console().print(_table(rows))


def _row(each: Backup) -> BackupRow:
    return BackupRow(
        uid=each.uid,
        kind=each.kind,
        state=each.state,
        asked_at=each.asked_at,
        made_at=each.made_at,
        expires_at=each.expires_at,
        size=each.size,
        sha256=each.sha256,
        store=each.store,
        runtime_version=each.runtime_version,
        reason=each.reason,
    )


def _table(rows: Sequence[BackupRow]) -> Table:
    table = new_table("Backup", "When (UTC)", "Why", "State", "Bytes", "Kept until")
    for row in rows:
        table.add_row(
            row.uid,
            f"{row.made_at or row.asked_at:%F %H:%M}",
            row.kind,
            f"{row.state} {row.reason}".strip(),
            f"{row.size:,}" if row.size else "",
            f"{row.expires_at:%F}" if row.expires_at else "",
        )
    return table


def _show_agent(agent: Agent, actor: User, *, as_json: bool) -> None:
    agent.refresh_from_db()
    shown = whole_agent(agent, actor)
    if as_json:
        print_json(shown)
    else:
        print_agent(shown, console())


def returnable(agent: Agent) -> str:
    """What a person is told of an agent that is gone: until when it can come back."""
    until = kept_until(agent)
    return (
        f" It can be brought back until {until:%F}: `farm agents restore {agent.uid}`."
        if until
        else ""
    )
