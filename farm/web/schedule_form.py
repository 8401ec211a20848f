"""What people may send about when their agent sleeps; the service decides what is right."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.agents.refusals import Refused
from farm.agents.selectors.schedules import WEEK, Rhythm
from farm.agents.services import ScheduleWish


class ScheduleForm:
    """The form as it was sent, or as the schedule has it; nothing typed is lost."""

    def __init__(self, rhythm: Rhythm, sent: QueryDict | None = None) -> None:
        self.rhythm = rhythm
        self.sent = sent
        self.errors: dict[str, str] = {}

    @property
    def zone(self) -> str:
        """The time zone's name."""
        return self._text("zone", self.rhythm.zone)

    @property
    def quiet_days(self) -> str:
        """A date a line."""
        return self._text("quiet_days", "\n".join(self.rhythm.quiet_days))

    @property
    def idle_hours(self) -> str:
        """Digits, "" for never."""
        kept = self.rhythm.idle_hours
        return self._text("idle_hours", str(kept) if kept else "")

    @property
    def hours(self) -> list[tuple[str, str]]:
        """From and to for each weekday."""
        found = []
        for day, text in enumerate(self.rhythm.hours):
            begins, _dash, ends = text.partition("-")
            pair = self._text(f"begins_{day}", begins), self._text(f"ends_{day}", ends)
            found.append(pair)
        return found

    @property
    def day_errors(self) -> list[str]:
        """What is wrong with each weekday, "" for nothing."""
        return [self.errors.get(f"hours_{day}", "") for day in range(WEEK)]

    def wish(self) -> ScheduleWish:
        """What is wished; Refused at "idle_hours" for what is no number."""
        return ScheduleWish(
            zone=self.zone.strip(),
            hours=tuple(
                f"{begins}-{ends}" if begins or ends else "" for begins, ends in self.hours
            ),
            quiet_days=tuple(re.split(r"[\s,;]+", self.quiet_days.strip()))
            if self.quiet_days.strip()
            else (),
            idle_hours=_whole(self.idle_hours),
        )

    def refuse(self, refused: Refused) -> None:
        """Show a service's no at its field."""
        self.errors[refused.field or "form"] = str(refused.sentence)

    def _text(self, name: str, otherwise: str) -> str:
        return otherwise if self.sent is None else self.sent.get(name, "")[:2000]


def moment_in(sent: QueryDict, zone: str, now: datetime) -> datetime | None:
    """Until when an agent is to be kept awake; None for no longer. Refused at "until"."""
    if hours := sent.get("hours", ""):
        return now + timedelta(hours=_whole(hours) or 0)
    text = sent.get("until", "")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("until", "until", _("Choose a day and a time.")) from None
    known = ZoneInfo(zone if zone in available_timezones() else "UTC")
    return found if timezone.is_aware(found) else found.replace(tzinfo=known)


def _whole(text: str) -> int | None:
    if not text.strip():
        return None
    if not re.fullmatch(r"\s*[0-9]{1,5}\s*", text):
        raise Refused("idle_hours", "idle_hours", _("Choose from 1 to 720 hours, or none."))
    return int(text)
