"""How a service says no: at which field, by which code, in which sentence."""

from __future__ import annotations

from django.utils.functional import Promise


class Refused(Exception):  # noqa: N818
    """Nothing was changed. `sentence` is for the person and says what to do.

    `field` names the field of the wish it belongs to, "" when it belongs to none.
    """

    def __init__(self, field: str, code: str, sentence: str | Promise) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code
        self.sentence = sentence
