"""What one needs to know of how a cloud charges, beside the price of an hour and of a month."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CloudTerms:
    """The rules in which clouds differ.

    `off_is_free`: a machine that is off costs no compute, and its parts begin and end apart.
    `resize_counts_anew`: as another type its hours and its month begin from the start.
    """

    off_is_free: bool
    resize_counts_anew: bool
