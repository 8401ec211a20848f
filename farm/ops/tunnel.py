"""`farm tunnel`: leads browsers to the agents' own pages, in the foreground."""

from __future__ import annotations

from typing import Annotated

import typer
from django.conf import settings

from farm.agents.tunnel import run_tunnel
from farm.ops.answer import AsJson, answering, new_app, print_json
from farm.ops.endings import until_told
from farm.ops.safety import refuse_unsafe_settings

app = new_app("Lead browsers to the agents' own pages.")

Port = Annotated[
    int,
    typer.Option(
        min=1,
        max=65535,
        help="Where to listen on loopback, instead of at TUNNEL_PORT.",
        show_default=False,
    ),
]


@app.command()
def tunnel(*, port: Port = settings.TUNNEL_PORT, as_json: AsJson = False) -> None:
    """Carry HTTP and WebSocket over SSH to each agent's gateway, until Ctrl-C or SIGTERM."""
    with answering(as_json=as_json):
        refuse_unsafe_settings()
        if as_json:
            print_json({"tunnel": "started", "port": port})
        run_tunnel(port, until_told())
