"""Tells a story's steps and their seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say a step's seconds once it is done."""
    began = time.monotonic()
    yield
    print(f"  {time.monotonic() - began:7.1f} s  {what}", flush=True)
