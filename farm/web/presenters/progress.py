"""The wait in words: its lines, how far it is, why it waits and what happens next."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from farm.agents.selectors import Progress, ProgressLine
from farm.agents.selectors.progress import LineState
from farm.web.words import duration


@dataclass(frozen=True, slots=True)
class LineWords:
    """One line; `time` is what has passed, `usual` what it usually takes."""

    label: str
    state: str
    mark: str
    time: str
    usual: str
    spoken_state: str


@dataclass(frozen=True, slots=True)
class WaitWords:
    """All lines, `share` per cent of the usual time, and the sentences of a wait or a failure."""

    lines: tuple[LineWords, ...]
    elapsed: str
    usual: str
    share: int
    why: str
    next: str
    detail: str


MARKS = {LineState.DONE: "✓", LineState.FAILED: "!", LineState.UNDER_WAY: "", LineState.WAITING: ""}


def wait_words(progress: Progress) -> WaitWords:
    """What the page of the wait shows."""
    waiting = progress.waiting
    return WaitWords(
        lines=tuple(_line(line) for line in progress.lines),
        elapsed=duration(progress.elapsed_seconds),
        usual=duration(progress.usual_seconds),
        share=_share(progress),
        why=str(waiting.sentence) if waiting else "",
        next=str(waiting.next_sentence) if waiting else "",
        detail=waiting.detail if waiting else "",
    )


def _line(line: ProgressLine) -> LineWords:
    return LineWords(
        label=str(line.label),
        state=line.state,
        mark=MARKS[line.state],
        time="" if line.state == LineState.WAITING else duration(line.elapsed_seconds),
        usual=_usual(line),
        spoken_state=_spoken(line.state),
    )


def _usual(line: ProgressLine) -> str:
    """Said while it matters: before a line is done."""
    if line.state in (LineState.DONE, LineState.FAILED):
        return ""
    if line.state == LineState.UNDER_WAY and line.elapsed_seconds > 2 * line.usual_seconds:
        return gettext("longer than usual (%(usual)s)") % {"usual": duration(line.usual_seconds)}
    return gettext("usually %(usual)s") % {"usual": duration(line.usual_seconds)}


def _spoken(state: LineState) -> str:
    return {
        LineState.DONE: gettext("done"),
        LineState.FAILED: gettext("failed"),
        LineState.UNDER_WAY: gettext("under way"),
        LineState.WAITING: gettext("to come"),
    }[state]


def _share(progress: Progress) -> int:
    """Usual seconds behind us of all usual seconds; a line under way never counts as done."""
    behind = sum(
        line.usual_seconds
        if line.state == LineState.DONE
        else min(line.elapsed_seconds, line.usual_seconds * 0.9)
        for line in progress.lines
    )
    return min(100, round(100 * behind / max(1, progress.usual_seconds)))
