"""Who bakes for everybody comes first."""

from __future__ import annotations

from pathlib import Path

import pytest

STORY = Path(__file__).with_name("test_story.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The story bakes through the farm whatever is kept, and what it baked is kept for the rest."""
    items.sort(key=lambda item: item.path != STORY)
