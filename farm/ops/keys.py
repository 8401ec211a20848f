"""`farm keys`: model keys that an account shares with its agents; none is ever shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from farm.accounts.models import Account, Door
from farm.accounts.permissions import Action, demand
from farm.accounts.services import account_of
from farm.agents.models import SharedKey
from farm.agents.selectors.shared_keys import agents_with, lender_of, shared_keys_of
from farm.agents.services import KeyWish, add_shared_key, revoke_shared_key
from farm.billing.amounts import cents
from farm.ops.amounts import micros_in
from farm.ops.answer import AsJson, Trouble, console, new_app, print_json
from farm.ops.people import ActingAs, acting
from farm.ops.refusing import serving
from farm.ops.secret_files import secret_in

app = new_app("Share model keys with the agents of an account.")

Name = Annotated[str, typer.Option(help="What people read; the provider's name unless given.")]
Model = Annotated[str, typer.Option(help="Which model answers; the usual one unless given.")]
Address = Annotated[str, typer.Option(help="For `compatible`: its address with the version.")]
Payer = Annotated[str, typer.Option(help="Who is charged; whoever pays for the agent, unless.")]
Budget = Annotated[str, typer.Option(help="What each agent usually gets a month, in EUR.")]
KeyFile = Annotated[
    Path,
    typer.Option(dir_okay=False, help="A file that holds the key, or - for standard input."),
]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A shared key as programs read it; amounts in micro-euros a month."""

    uid: str
    name: str
    provider: str
    model: str
    base_url: str
    provided_by: str
    monthly_micros: int
    agents: int
    created_at: datetime


@app.callback()
def keys() -> None:
    """Share model keys with the agents of an account."""


@app.command("list")
def list_keys(*, email: ActingAs = "", as_json: AsJson = False) -> None:
    """List the shared keys of your account, the oldest first."""
    with serving(as_json=as_json):
        rows = [_row(key) for key in shared_keys_of(_account(email))]
        if as_json:
            print_json(rows)
        elif rows:
            console().print(_table(rows))
        else:
            typer.echo("No key is shared: farm keys add PROVIDER --key-file FILE")


@app.command()
def add(  # noqa: PLR0913  (one per field of the wish)
    provider: Annotated[
        str, typer.Argument(help="anthropic, openai, openrouter, mistral, google or compatible.")
    ],
    *,
    key_file: KeyFile,
    name: Name = "",
    model: Model = "",
    base_url: Address = "",
    payer: Payer = "",
    budget: Budget = "20",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Share a key: its provider is asked whether it is good, and it stays on the farm."""
    with serving(as_json=as_json):
        actor = acting(email)
        wish = KeyWish(
            provider=provider,
            key=secret_in(key_file, "--key-file"),
            name=name,
            model=model,
            base_url=base_url,
            monthly_micros=micros_in(budget, "--budget"),
            payer_uid=payer,
        )
        account = account_of(user=actor, door=Door.CLI)
        shared = add_shared_key(actor=actor, account=account, door=Door.CLI, wish=wish)
        if as_json:
            print_json(_row(shared))
        else:
            typer.echo(f"{shared.name} is shared as {shared.uid}: new agents may think with it.")


@app.command()
def revoke(
    which: Annotated[str, typer.Argument(metavar="KEY", help="Its uid or its name.")],
    *,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Take a key back: no agent thinks with it any more, and the farm forgets it."""
    with serving(as_json=as_json):
        actor = acting(email)
        key = _called(which, account_of(user=actor, door=Door.CLI))
        revoke_shared_key(actor=actor, door=Door.CLI, key=key)
        if as_json:
            print_json({"revoked": key.uid})
        else:
            typer.echo(f"{key.name} is revoked.")


def _account(email: str) -> Account:
    actor = acting(email)
    account = account_of(user=actor, door=Door.CLI)
    demand(actor, Action.MANAGE_KEYS, account)
    return account


def _called(which: str, account: Account) -> SharedKey:
    keys_here = list(shared_keys_of(account))
    found = [key for key in keys_here if which in (key.uid, key.name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{key.name} ({key.uid})" for key in keys_here) or "none"
    raise Trouble(f"Name one key by its uid: {known}.", code="unknown", field="key")


def _row(key: SharedKey) -> KeyRow:
    return KeyRow(
        uid=key.uid,
        name=key.name,
        provider=key.provider,
        model=key.model,
        base_url=key.base_url,
        provided_by=lender_of(key),
        monthly_micros=key.monthly_micros,
        agents=agents_with(key),
        created_at=key.created_at,
    )


def _table(rows: list[KeyRow]) -> Table:
    columns = ("Key", "Name", "Provider", "Model", "Provided by", "A month", "Agents")
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        money = cents(row.monthly_micros, "EUR")
        table.add_row(
            *(row.uid, row.name, row.provider, row.model, row.provided_by, money, str(row.agents))
        )
    return table
