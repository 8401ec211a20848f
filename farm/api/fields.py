"""Fields that take what they say and nothing that merely looks like it."""

from __future__ import annotations

from rest_framework import serializers

SAFE = r"^[^\u0000]+$"


class StrictText(serializers.RegexField):
    """A string; a number is none."""

    def to_internal_value(self, value: object) -> str:
        """The string itself."""
        if not isinstance(value, str) or not _is_text(value):
            self.fail("invalid")
        text: str = super().to_internal_value(value)
        return text


def _is_text(value: str) -> bool:
    """Half a pair of surrogates is a string to JSON, and text to nobody."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class StrictNumber(serializers.IntegerField):
    """A whole number; neither "1" nor true is one."""

    def to_internal_value(self, value: object) -> int:
        """The number itself."""
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail("invalid")
        number: int = super().to_internal_value(value)
        return number


def text(most: int, *, required: bool = True) -> StrictText:
    """A string with something in it, without the letter that no database keeps."""
    return StrictText(
        regex=SAFE, max_length=most, min_length=1, required=required, trim_whitespace=False
    )


def secret(most: int) -> StrictText:
    """A string that may be left out, is taken, and is never shown."""
    return StrictText(
        regex=SAFE,
        max_length=most,
        min_length=1,
        required=False,
        trim_whitespace=False,
        write_only=True,
    )
