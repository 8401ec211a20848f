"""How clouds charge: a module for each, with the source of each of its rules."""

from __future__ import annotations

from collections.abc import Mapping

from farm.billing.charging import hetzner, scaleway
from farm.billing.charging.terms import CloudTerms

TERMS: Mapping[str, CloudTerms] = {"hetzner": hetzner.TERMS, "scaleway": scaleway.TERMS}


def terms_of(provider: str) -> CloudTerms:
    """By what rules that cloud charges; KeyError for one that nobody wrote down."""
    return TERMS[provider]
