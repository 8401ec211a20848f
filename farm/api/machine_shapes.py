"""What the API shows and takes about an agent's machine, its sleep and its schedule."""

from __future__ import annotations

from dataclasses import dataclass

from rest_framework import serializers

from farm.agents.selectors.placements import PassedRung, Placement
from farm.agents.selectors.prices import SleepQuote, WakeQuote
from farm.agents.selectors.schedules import WEEK, Boundary, Rhythm, State, Why
from farm.api.fields import StrictNumber, text
from farm.billing.prices import Rate

Shape = serializers.Serializer


class RateShape(Shape[Rate]):
    """A price, net; `monthly_micros` caps a calendar month, null where every hour counts."""

    hourly_micros = serializers.IntegerField(read_only=True)
    monthly_micros = serializers.IntegerField(allow_null=True, read_only=True)
    currency = serializers.CharField(read_only=True)


class SleepQuoteShape(Shape[SleepQuote]):
    """What sleep costs and saves; with `at_most` the price asleep is that of a full disk.

    Shorter than `break_even_hours` saves nothing; null: no sleep does, this month.
    """

    awake = RateShape(read_only=True)
    asleep = RateShape(read_only=True)
    at_most = serializers.BooleanField(read_only=True)
    new_machine = serializers.BooleanField(read_only=True)
    break_even_hours = serializers.IntegerField(allow_null=True, read_only=True)


class WakeQuoteShape(Shape[WakeQuote]):
    """What it costs awake; with `dearer` only to be had for more than was agreed."""

    asleep = RateShape(read_only=True)
    awake = RateShape(allow_null=True, read_only=True)
    agreed = RateShape(read_only=True)
    dearer = serializers.BooleanField(read_only=True)


class PassedShape(Shape[PassedRung]):
    """What was not taken, and why."""

    server_type = serializers.CharField(read_only=True)
    location = serializers.CharField(read_only=True)
    cloud = serializers.CharField(read_only=True)
    reason = serializers.CharField(source="code", read_only=True)


class PlacementShape(Shape[Placement]):
    """Where its machine stands, and why there."""

    cloud = serializers.CharField(read_only=True)
    location = serializers.CharField(read_only=True)
    server_type = serializers.CharField(read_only=True)
    reason = serializers.CharField(source="code", read_only=True)
    passed = PassedShape(many=True, read_only=True)
    rate = RateShape(allow_null=True, read_only=True)


@dataclass(frozen=True, slots=True)
class MachineView:
    """What is told of an agent's machine."""

    placement: Placement | None
    sleep: SleepQuote | None
    wake: WakeQuote | None


class MachineShape(Shape[MachineView]):
    """Its machine: where it is, what sleep would cost, what waking would; null where neither is."""

    placement = PlacementShape(allow_null=True, read_only=True)
    sleep = SleepQuoteShape(allow_null=True, read_only=True)
    wake = WakeQuoteShape(allow_null=True, read_only=True)


class WakeWish(Shape[None]):
    """`at_most_hourly_micros` agrees to a dearer machine of up to that price, if need be."""

    at_most_hourly_micros = StrictNumber(
        min_value=0, max_value=10**12, allow_null=True, default=None
    )


class ResizeWish(Shape[None]):
    """Another size."""

    plan = text(40)


class MoveWish(Shape[None]):
    """Another place."""

    region = text(40)


class BoundaryShape(Shape[Boundary]):
    """When it falls asleep next, and by what."""

    at = serializers.DateTimeField(read_only=True)
    state = serializers.ChoiceField(choices=[state.value for state in State], read_only=True)
    why = serializers.ChoiceField(choices=[why.value for why in Why], read_only=True)


class ScheduleShape(Shape[Rhythm]):
    """When it sleeps by itself. `hours` are from Monday on, such as "08:00-20:00", "" for none."""

    zone = serializers.CharField(read_only=True)
    hours = serializers.ListField(child=serializers.CharField(), read_only=True)
    quiet_days = serializers.ListField(child=serializers.CharField(), read_only=True)
    idle_hours = serializers.IntegerField(allow_null=True, read_only=True)
    keep_until = serializers.DateTimeField(allow_null=True, read_only=True)
    sleeps = BoundaryShape(allow_null=True, read_only=True)
    wakes_at = serializers.DateTimeField(allow_null=True, read_only=True)
    used_at = serializers.DateTimeField(read_only=True)
    trouble = serializers.CharField(read_only=True)


class HoursField(serializers.RegexField):
    """Hours of a day, or ""."""

    def to_internal_value(self, value: object) -> str:
        """The string itself."""
        if not isinstance(value, str):
            self.fail("invalid")
        found: str = super().to_internal_value(value)
        return found


class NewSchedule(Shape[None]):
    """The whole of it: whatever is left out is not set any more."""

    zone = text(60)
    hours = serializers.ListField(
        child=HoursField(regex=r"^[0-9:-]*$", max_length=11, allow_blank=True),
        min_length=WEEK,
        max_length=WEEK,
        required=False,
    )
    quiet_days = serializers.ListField(child=text(10), max_length=100, required=False)
    idle_hours = StrictNumber(min_value=1, max_value=720, allow_null=True, default=None)


class KeepWish(Shape[None]):
    """Until when it is to be kept awake; null: no longer. `zone` is for one without a schedule."""

    until = serializers.DateTimeField(allow_null=True)
    zone = text(60, required=False)
