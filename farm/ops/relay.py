"""`farm relay`: the agents' way to models whose keys they do not hold, in the foreground."""

from __future__ import annotations

from typing import Annotated

import typer
import uvicorn
from django.conf import settings

from farm.ops.answer import AsJson, answering, new_app, print_json
from farm.ops.safety import refuse_unsafe_settings

app = new_app("Carry the agents' calls to models by shared keys.")

# A door of its own: it is named here, and imported by the server alone.
APPLICATION = "farm.relay.app:relay_application"
GRACE_SECONDS = 5

Port = Annotated[
    int,
    typer.Option(
        min=1,
        max=65535,
        help="Where to listen on loopback, instead of at RELAY_PORT.",
        show_default=False,
    ),
]


@app.command()
def relay(*, port: Port = settings.RELAY_PORT, as_json: AsJson = False) -> None:
    """Answer agents until Ctrl-C or SIGTERM; any number of relays may run side by side."""
    with answering(as_json=as_json):
        refuse_unsafe_settings()
        if as_json:
            print_json({"relay": "started", "port": port})
        uvicorn.run(
            APPLICATION,
            factory=True,
            host="127.0.0.1",
            port=port,
            http="h11",
            ws="none",
            # Who called is told by RELAY_CLIENT_HEADER alone, never by a header that is guessed.
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
