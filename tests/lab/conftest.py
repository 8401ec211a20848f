"""Who bakes for everybody comes first."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The story bakes through the farm whatever is kept, and what it baked is kept for the rest."""
    items.sort(key=lambda item: item.path.name != "test_story.py")
