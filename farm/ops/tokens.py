"""`farm tokens`: keys to the API, made and taken back on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from farm.accounts.models import ApiToken, Door
from farm.accounts.tokens import Scope, make_token, revoke_token, tokens_of
from farm.ops.agent_views import new_table
from farm.ops.answer import AsJson, Trouble, console, new_app, print_json
from farm.ops.people import ActingAs, acting
from farm.ops.refusing import serving

app = new_app("Make, list and revoke keys to the API.")


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token; its text is never shown again."""

    uid: str
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime
    used_at: datetime | None


@app.callback()
def tokens() -> None:
    """Make, list and revoke keys to the API."""


@app.command()
def make(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; repeat it.")] = None,
    days: Annotated[int, typer.Option(help="How long it lives, in days.")] = 30,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, once."""
    with serving(as_json=as_json):
        wanted = scope or [Scope.AGENTS_READ]
        made = make_token(actor=acting(email), door=Door.CLI, name=name, scopes=wanted, days=days)
        if as_json:
            print_json({"uid": made.row.uid, "token": made.text})
        else:
            typer.echo(made.text)


@app.command("list")
def list_tokens(*, email: ActingAs = "", as_json: AsJson = False) -> None:
    """List the tokens that still live."""
    with serving(as_json=as_json):
        rows = [_row(token) for token in tokens_of(acting(email)).filter(revoked_at=None)]
        if as_json:
            print_json(rows)
            return
        table = new_table("uid", "name", "scopes", "until", "last used")
        for row in rows:
            used = f"{row.used_at:%Y-%m-%d}" if row.used_at else "never"
            scopes = " ".join(row.scopes)
            table.add_row(row.uid, row.name, scopes, f"{row.expires_at:%Y-%m-%d}", used)
        console().print(table)


@app.command()
def revoke(
    uid: Annotated[str, typer.Argument(help="Its uid, from `farm tokens list`.")],
    *,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Take a token back: it opens nothing any more."""
    with serving(as_json=as_json):
        try:
            revoke_token(actor=acting(email), door=Door.CLI, uid=uid)
        except ApiToken.DoesNotExist:
            raise Trouble(
                f"You have no token {uid}: `farm tokens list` shows yours.",
                code="unknown",
                field="uid",
            ) from None
        if as_json:
            print_json({"uid": uid, "revoked": True})


def _row(token: ApiToken) -> TokenRow:
    scopes = tuple(token.scopes.split())
    return TokenRow(token.uid, token.name, scopes, token.expires_at, token.used_at)
