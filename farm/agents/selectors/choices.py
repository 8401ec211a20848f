"""Whose model key an agent may think with."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from farm.catalog import Words, catalog

SANDBOX_PROVIDER = "sandbox"
COMPATIBLE_PROVIDER = "compatible"
"""Any address that speaks OpenAI's chat completions; for shared keys only."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One line of the choice; `hint` is what a key of this provider looks like."""

    key: str
    name: str
    hint: str
    needs_key: bool


def model_choices(language: str) -> tuple[ModelChoice, ...]:
    """Every provider, the default first: the sandbox's own model where there is one."""
    named = tuple(
        ModelChoice(provider.key, provider.name, provider.key_hint, needs_key=True)
        for provider in catalog().models.items
    )
    if not settings.SANDBOX_MODEL_ENDPOINT:
        return named
    words = Words(en="The sandbox's own model (no key)", fr="Le modèle du bac à sable (sans clé)")
    sandbox = ModelChoice(SANDBOX_PROVIDER, words.in_language(language), "", needs_key=False)
    return (sandbox, *named)


def default_model_provider() -> str:
    """The key of the first choice."""
    return model_choices("en")[0].key
