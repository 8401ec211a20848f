"""What the doctor looks at around the gateways: that the farm itself does not get to them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

from django.conf import settings

from farm.ops.findings import Finding
from provisioning.runtime import PORT

HERE = ("127.0.0.1", PORT)


def fence() -> Iterator[Finding]:
    """Whoever connects from this machine's address is let in: that is the edge's user alone."""
    if settings.DEBUG or not settings.EDGE:
        return
    if _gets_there():
        sentence = "This user can connect to gateways, and whatever talks it into doing so."
        remedy = "Run `systemctl restart agent-farm-fence`; see docs/operations.md."
        yield Finding("fence", sentence, remedy)
    else:
        yield Finding("fence", "Nobody but the edge connects to gateways from this machine.")


def _gets_there() -> bool:
    """Tried on this very machine, with a door of its own, which the fence shuts like any other."""
    with suppress(OSError), socket.create_server(HERE):
        return _connects()
    return _connects()


def _connects() -> bool:
    try:
        with socket.create_connection(HERE, 1):
            return True
    except OSError:
        return False
