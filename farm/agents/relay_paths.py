"""Where below the relay's address each provider's API begins, with its version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RELAY_PATHS: Final[Mapping[str, str]] = {
    "anthropic": "/anthropic/v1",
    "openai": "/openai/v1",
    "openrouter": "/openrouter/v1",
    "mistral": "/mistral/v1",
    "google": "/google/v1beta",
    "compatible": "/compatible/v1",
}
