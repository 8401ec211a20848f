"""Friendly names that a new agent may be offered."""

from __future__ import annotations

import secrets
from collections.abc import Collection

NAMES = (
    "Alba",
    "Basile",
    "Célia",
    "Dario",
    "Elsa",
    "Félix",
    "Gaïa",
    "Hugo",
    "Iris",
    "Jonas",
    "Kim",
    "Léon",
    "Maya",
    "Nino",
    "Olive",
    "Pia",
    "Quentin",
    "Rose",
    "Simone",
    "Théo",
    "Ulysse",
    "Violette",
    "Wanda",
    "Yann",
    "Zoé",
)


def suggested_name(taken: Collection[str]) -> str:
    """One that the person has not used yet; any of them once all are taken."""
    free = [name for name in NAMES if name not in taken]
    return secrets.choice(free or NAMES)
