"""The gateway's certificate and key, read from the guest's disk as its own user."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from farm.sandbox.guests.simulated.openclaw.config import Config
from farm.sandbox.guests.simulated.process import Process


def tls_of(process: Process, config: Config) -> ssl.SSLContext:
    """What it shows to whoever connects; OSError if the files are not there or no pair."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        papers = [Path(folder) / name for name in ("certificate", "key")]
        for paper, setting in zip(papers, ("certPath", "keyPath"), strict=True):
            paper.write_text(process.files.text(config.text(f"gateway.tls.{setting}")))
        context.load_cert_chain(papers[0], papers[1])
    return context
