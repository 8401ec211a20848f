"""How the command line asks a running sandbox: by the control endpoint that its folder names."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from farm import env
from farm.sandbox.wire import Json

STATE: Final = env.data_folder() / "sandbox"
State = Annotated[
    Path,
    typer.Option(
        "--state",
        help="Where it keeps what survives a stop; sandbox in FARM_DATA unless given.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Method = Literal["GET", "POST", "DELETE"]


def ask(state: Path, path: str, method: Method = "GET", body: Json = None) -> str:
    """What the control endpoint of the sandbox on this folder answers.

    Exits 1 if none runs there, and with its own sentence if it refuses.
    """
    sent = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if sent else {}
    try:
        port = json.loads((state / "identity.json").read_text())["ports"]["control"]
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", data=sent, headers=headers, method=method
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            text: str = answer.read().decode()
    except urllib.error.HTTPError as refusal:
        typer.echo(_sentence(refusal), err=True)
        raise typer.Exit(1) from None
    except (OSError, ValueError, KeyError):
        typer.echo(
            f"No sandbox runs on {state}: start one with `farm up` or `farm sandbox up`, or"
            " name its folder with --state.",
            err=True,
        )
        raise typer.Exit(1) from None
    return text


def _sentence(refusal: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(refusal.read())["error"])
    except (ValueError, KeyError, TypeError):
        return f"The sandbox refuses: {refusal}"
