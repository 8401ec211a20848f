"""What the doctor found, one value each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`part` of the farm is well, or `remedy` says what mends it; `sentence` is what was seen."""

    part: str
    sentence: str
    remedy: str = ""

    @property
    def is_trouble(self) -> bool:
        """Whether something is to be done."""
        return bool(self.remedy)
