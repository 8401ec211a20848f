"""`farm projects`: the projects at clouds, their request budgets, and whose machines are where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from farm.accounts.models import Account, Door
from farm.agents.models import ProviderProject
from farm.agents.selectors.projects import ProjectView, project_named
from farm.agents.selectors.projects import projects as all_projects
from farm.agents.services.projects import (
    ProjectWish,
    accept_project,
    add_project,
    assign_project,
    hold_project,
)
from farm.ops.answer import AsJson, Trouble, console, new_app, print_json
from farm.ops.people import ActingAs, operating
from farm.ops.refusing import serving
from farm.ops.secret_files import secret_in

app = new_app("Show and add projects at clouds, and say where new machines are made.")

Project = Annotated[str, typer.Argument(help="Such as hetzner/second, or hetzner if it is one.")]


@app.callback()
def projects() -> None:
    """Show and add projects at clouds, and say where new machines are made."""


@app.command("list")
def list_projects(*, as_json: AsJson = False) -> None:
    """Show every project with its machines and the requests that it takes now."""
    with serving(as_json=as_json):
        rows = all_projects()
    if as_json:
        print_json(rows)
        return
    table = Table(
        "Project", "Machines", "Accounts", "Requests left", "For members", "Asked", "State",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )  # fmt: skip
    for row in rows:
        table.add_row(*_cells(row))
    console().print(table)


@app.command()
def add(
    provider: Annotated[str, typer.Argument(help="hetzner or scaleway.")],
    name: Annotated[str, typer.Argument(help="How the farm calls it.")],
    *,
    token_file: Annotated[
        Path,
        typer.Option(
            help="A file with the token (at Scaleway the secret key), or - for standard input.",
        ),
    ],
    access_key: Annotated[str, typer.Option(help="At Scaleway.")] = "",
    project_id: Annotated[str, typer.Option(help="At Scaleway.")] = "",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Add a project: the cloud is asked whether it takes the token for reading and writing.

    New machines go to the project with the fewest, each account's to one of its own.
    """
    with serving(as_json=as_json):
        wish = ProjectWish(
            provider, name, secret_in(token_file, "--token-file"), access_key, project_id
        )
        project = add_project(actor=operating(email), door=Door.CLI, wish=wish)
        _done(project, f"Machines are made in {project} from now on.", as_json=as_json)


@app.command()
def pause(project: Project, *, email: ActingAs = "", as_json: AsJson = False) -> None:
    """Have no new machine made in a project; those in it are looked after."""
    _hold(project, email, held=True, as_json=as_json)


@app.command()
def resume(project: Project, *, email: ActingAs = "", as_json: AsJson = False) -> None:
    """Have new machines made in a project again."""
    _hold(project, email, held=False, as_json=as_json)


@app.command()
def accept(project: Project, *, email: ActingAs = "", as_json: AsJson = False) -> None:
    """Take what opens a project now for meant, though it has none of the farm's machines.

    They are then missed one by one, and their owners told.
    """
    with serving(as_json=as_json):
        row = _found(project)
        accept_project(actor=operating(email), door=Door.CLI, project=row)
        _done(row, f"{row} is what opens it now.", as_json=as_json)


@app.command()
def assign(
    project: Project,
    account: Annotated[str, typer.Argument(help="The account's code, or its name.")],
    *,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Have an account's new machines at that cloud made in this project, while it has room."""
    with serving(as_json=as_json):
        row, owner = _found(project), _account(account)
        assign_project(actor=operating(email), door=Door.CLI, account=owner, project=row)
        _done(row, f"New machines of {owner} are made in {row}.", as_json=as_json)


def _hold(word: str, email: str, *, held: bool, as_json: bool) -> None:
    with serving(as_json=as_json):
        row = _found(word)
        hold_project(actor=operating(email), door=Door.CLI, project=row, held=held)
        told = "No new machine is" if held else "New machines are"
        _done(row, f"{told} made in {row} from now on.", as_json=as_json)


def _done(project: ProviderProject, sentence: str, *, as_json: bool) -> None:
    if as_json:
        shown = (row for row in all_projects() if row.name == project.name)
        print_json(next(row for row in shown if row.provider == project.provider))
    else:
        typer.echo(sentence)


def _found(word: str) -> ProviderProject:
    row = project_named(word)
    if row is None:
        raise Trouble(f"There is no project {word}: see `farm projects list`.", code="no_project")
    return row


def _account(word: str) -> Account:
    found = Account.objects.filter(uid=word) or Account.objects.filter(name=word)
    if len(found) != 1:
        raise Trouble(f"There is no account {word}: give its code.", code="no_account")
    return found[0]


def _cells(row: ProjectView) -> tuple[str, ...]:
    state = "paused by the operator" if row.held else row.reason or "open"
    if row.open_from:
        state = f"{state}, left alone until {row.open_from:%H:%M:%S}"
    return (
        f"{row.provider}/{row.name}",
        str(row.machines),
        str(row.accounts),
        f"{row.left} of {row.limit}",
        str(row.reserve),
        str(row.asked),
        state,
    )
