"""Which paths the relay has, and no more: only those that call a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from farm.agents.relay_paths import RELAY_PATHS
from farm.relay.dialects.anthropic import Anthropic
from farm.relay.dialects.base import Dialect
from farm.relay.dialects.chat import Chat, Habits
from farm.relay.dialects.google import Google
from farm.relay.dialects.responses import Responses


@dataclass(frozen=True, slots=True)
class Route:
    """A path that calls a model: whose keys it takes, and which dialect is spoken there.

    `below` stands behind the provider's own path; its {tail} is read by the dialect.
    """

    provider: str
    below: str
    dialect: Dialect

    @property
    def path(self) -> str:
        """The whole of it, as starlette reads it."""
        return RELAY_PATHS[self.provider] + self.below

    @property
    def list_path(self) -> str:
        """Where its models are listed."""
        return RELAY_PATHS[self.provider] + "/models"


_COMPLETIONS: Final = "/chat/completions"
ROUTES: Final = (
    Route("anthropic", "/messages", Anthropic()),
    Route("openai", _COMPLETIONS, Chat(Habits(limit="max_completion_tokens"))),
    Route("openai", "/responses", Responses()),
    Route("openrouter", _COMPLETIONS, Chat(Habits(tells_cost=True))),
    Route("mistral", _COMPLETIONS, Chat(Habits(asks_usage=False))),
    Route("google", "/{tail:path}", Google()),
    Route("compatible", _COMPLETIONS, Chat(Habits())),
)
