"""How a script leaves the line it is at: exit, return, break and continue."""

from __future__ import annotations


class ExitShell(Exception):  # noqa: N818
    """The shell ends with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class ReturnFunction(ExitShell):
    """The function or sourced file ends with `code`."""


class LeaveLoop(Exception):  # noqa: N818
    """`levels` loops are left, or the outermost of them goes on when `again`."""

    def __init__(self, levels: int, *, again: bool) -> None:
        super().__init__(levels)
        self.levels, self.again = levels, again
