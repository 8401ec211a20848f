"""`farm setup`: the token that opens the set-up page."""

from __future__ import annotations

import typer

from farm.env import conf_folder, setting_up
from farm.ops.answer import AsJson, Trouble, answering, new_app, print_json
from farm.setup import tokens

app = new_app("The set-up page of a new farm.")


@app.callback()
def setup() -> None:
    """The set-up page of a new farm."""


@app.command()
def token(*, as_json: AsJson = False) -> None:
    """Make a token that opens the set-up page once; every earlier one is dead."""
    with answering(as_json=as_json):
        if conf_folder() is None:
            sentence = "This farm has no set-up page: its settings come from the environment alone."
            raise Trouble(sentence, code="no_setup", field="FARM_CONF")
        if not setting_up():
            sentence = (
                "This farm is set up. To change an answer, write its file in FARM_CONF anew, and"
                " restart the farm: see docs/operations.md."
            )
            raise Trouble(sentence, code="set_up")
        made = tokens.mint()
        if as_json:
            print_json({"token": made})
        else:
            typer.echo(made)
