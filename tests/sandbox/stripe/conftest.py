"""A fresh payment house for each test, and the official client to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from tests.sandbox.stripe.stripe_at_work import StripeAtWork, stripe_at_work


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[StripeAtWork]:
    """A payment house."""
    with stripe_at_work(tmp_path / "stripe") as started:
        yield started


@pytest.fixture
def client(at_work: StripeAtWork) -> stripe.StripeClient:
    """The official client with the right key."""
    return at_work.client()
