"""How a backup or a restore says no."""

from __future__ import annotations


class RescueRefused(Exception):  # noqa: N818
    """Nothing was changed. `sentence` says what to do."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
