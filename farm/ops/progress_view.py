"""The wait as people see it in a terminal: five lines with elapsed and usual time."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from farm.agents.selectors import Progress, ProgressLine
from farm.agents.selectors.progress import LineState

MARKS = {
    LineState.WAITING: (" ", "dim"),
    LineState.UNDER_WAY: ("…", "bold"),
    LineState.DONE: ("✓", "green"),
    LineState.FAILED: ("✗", "red"),
}


def progress_view(progress: Progress) -> Group:
    """Every step, and below them why it waits."""
    lines = [_styled(line) for line in progress.lines]
    if progress.waiting:
        waiting = f"{progress.waiting.sentence} {progress.waiting.next_sentence}"
        lines.append(Text(waiting.strip(), style="yellow"))
    return Group(*lines)


def step_line(line: ProgressLine) -> str:
    """One step in one line, such as "✓ I install it: 104 s (usually 120 s)"."""
    mark, _ = MARKS[line.state]
    if line.state == LineState.WAITING:
        return f"{mark} {line.label} (usually {line.usual_seconds} s)"
    return f"{mark} {line.label}: {line.elapsed_seconds} s (usually {line.usual_seconds} s)"


def _styled(line: ProgressLine) -> Text:
    return Text(step_line(line), style=MARKS[line.state][1])
