"""What the API shows and takes about money: net millionths where it is used, cents where paid."""

from __future__ import annotations

from rest_framework import serializers

from farm.api.fields import StrictNumber, text
from farm.api.pages import Page
from farm.billing.customer_rows import Customer, Hold, Paper, Stage, TopUp
from farm.billing.days import DayCost
from farm.billing.models import Cause, Kind, Limit, PriceRow, UsageLine
from farm.billing.standing import Standing

Shape = serializers.Serializer


class HoldShape(Shape[Hold]):
    """What is set aside for one agent: a day awake, and 30 days asleep."""

    agent = serializers.CharField(source="agent_uid", read_only=True)
    run_micros = serializers.IntegerField(read_only=True)
    grace_micros = serializers.IntegerField(read_only=True)


class BalanceShape(Shape[Standing]):
    """What a payer has; `left_micros` below 0 is owed.

    `days_left` is how long what is available lasts, below 0 once what is set aside is being used,
    null without an end. At `kept_until` agents that sleep for want of money are deleted. While
    `frozen` it spends nothing and loses nothing.
    """

    payer = serializers.CharField(source="payer.uid", read_only=True)
    kind = serializers.CharField(source="payer.kind", read_only=True)
    currency = serializers.CharField(read_only=True)
    left_micros = serializers.IntegerField(source="balance.left", read_only=True)
    held_micros = serializers.IntegerField(source="balance.held", read_only=True)
    available_micros = serializers.IntegerField(source="balance.available", read_only=True)
    days_left = serializers.IntegerField(allow_null=True, read_only=True)
    stage = serializers.ChoiceField(choices=Stage.choices, read_only=True)
    frozen = serializers.BooleanField(source="is_frozen", read_only=True)
    kept_until = serializers.DateTimeField(allow_null=True, read_only=True)
    holds = HoldShape(many=True, read_only=True)


class TopUpShape(Shape[TopUp]):
    """Money paid in, or on its way: net cents, and the VAT that came on top once it is paid.

    `url` is where it is to be paid while it is open. `problem` is the bank's short word.
    """

    uid = serializers.CharField(read_only=True)
    state = serializers.ChoiceField(choices=TopUp.State.choices, read_only=True)
    cents = serializers.IntegerField(read_only=True)
    tax_cents = serializers.IntegerField(read_only=True)
    automatic = serializers.BooleanField(read_only=True)
    url = serializers.CharField(read_only=True)
    problem = serializers.CharField(read_only=True)
    asked_at = serializers.DateTimeField(read_only=True)
    ended_at = serializers.DateTimeField(allow_null=True, read_only=True)


class TopUpPage(Shape[Page[TopUp]]):
    """A piece of the list."""

    items = TopUpShape(many=True, read_only=True)
    next = serializers.CharField(allow_null=True, read_only=True)


class NewTopUp(Shape[None]):
    """So many net cents are to be paid in, VAT on top.

    `key` is twelve letters of your own, of a-z but i, l and o, and 2-9: asked again with it, there
    is still one top-up.
    """

    cents = StrictNumber(min_value=1, max_value=10**9)
    key = text(12, required=False)
    language = serializers.ChoiceField(choices=["en", "fr"], default="en")


class CardShape(Shape[Customer]):
    """The kept card, "" for none, and what is charged to it by itself, net cents; 0: nothing."""

    card = serializers.CharField(source="card_name", read_only=True)
    automatic_cents = serializers.IntegerField(read_only=True)


class AutomaticWish(Shape[None]):
    """Charge the kept card by itself whenever three days are left; 0 cents: never again.

    `agreed` must be true: the card's owner agrees to that.
    """

    cents = StrictNumber(min_value=0, max_value=10**9)
    agreed = serializers.BooleanField(default=False)


class PageAddress(Shape[None]):
    """Where a person goes on with it, in a browser."""

    url = serializers.CharField(read_only=True)


class VatIdShape(Shape[Customer]):
    """The VAT id that papers bear, "" for none, and what the tax office says of it."""

    vat_id = serializers.CharField(read_only=True)
    status = serializers.CharField(source="vat_status", read_only=True)


class NewVatId(Shape[None]):
    """A VAT id of the European Union."""

    vat_id = text(40)


class PriceShape(Shape[PriceRow]):
    """The price by which a line was made: pinned, in force from `valid_from` on."""

    hourly_micros = serializers.IntegerField(read_only=True)
    monthly_micros = serializers.IntegerField(allow_null=True, read_only=True)
    valid_from = serializers.DateTimeField(read_only=True)


class LineShape(Shape[UsageLine]):
    """One started hour of one kind: what its cloud charges, and the payer's part of it.

    `capped`: the cloud's monthly price was reached. `cause` says why a part, or all, is the farm's
    own cost, "" where none is.
    """

    id = serializers.CharField(source="pk", read_only=True)
    began_at = serializers.DateTimeField(read_only=True)
    server = serializers.CharField(source="server_uid", read_only=True)
    hour = serializers.IntegerField(source="hour_index", read_only=True)
    kind = serializers.ChoiceField(choices=Kind.choices, read_only=True)
    agent = serializers.CharField(source="agent_uid", read_only=True)
    agent_name = serializers.CharField(read_only=True)
    person = serializers.CharField(source="person_email", read_only=True)
    cost_centre = serializers.CharField(read_only=True)
    payer = serializers.CharField(source="payer.uid", default="", read_only=True)
    micros = serializers.IntegerField(read_only=True)
    cloud_micros = serializers.IntegerField(read_only=True)
    currency = serializers.CharField(read_only=True)
    capped = serializers.BooleanField(read_only=True)
    cause = serializers.ChoiceField(choices=Cause.choices, allow_blank=True, read_only=True)
    price = PriceShape(read_only=True)


class LinePage(Shape[Page[UsageLine]]):
    """A piece of the lines, the one that was written last first."""

    items = LineShape(many=True, read_only=True)
    next = serializers.CharField(allow_null=True, read_only=True)


class DayShape(Shape[DayCost]):
    """What one agent cost on one day of UTC."""

    day = serializers.DateField(read_only=True)
    agent = serializers.CharField(source="agent_uid", read_only=True)
    agent_name = serializers.CharField(read_only=True)
    machine_micros = serializers.IntegerField(source="machine", read_only=True)
    ai_micros = serializers.IntegerField(source="ai", read_only=True)


class PaperShape(Shape[Paper]):
    """An invoice or a credit note, in cents as it says itself; `pdf` is at Stripe."""

    reference = serializers.CharField(read_only=True)
    sort = serializers.ChoiceField(choices=Paper.Sort.choices, read_only=True)
    number = serializers.CharField(read_only=True)
    status = serializers.CharField(read_only=True)
    net_cents = serializers.IntegerField(read_only=True)
    tax_cents = serializers.IntegerField(read_only=True)
    total_cents = serializers.IntegerField(read_only=True)
    page = serializers.CharField(read_only=True)
    pdf = serializers.CharField(read_only=True)
    at = serializers.DateTimeField(read_only=True)


class PaperPage(Shape[Page[Paper]]):
    """A piece of the list."""

    items = PaperShape(many=True, read_only=True)
    next = serializers.CharField(allow_null=True, read_only=True)


class LimitShape(Shape[Limit]):
    """What one person's agents, or all ("" for the person), may cost in a month, net."""

    person = serializers.CharField(source="person.email", default="", read_only=True)
    monthly_micros = serializers.IntegerField(read_only=True)


class NewLimit(Shape[None]):
    """Without a `person` it is for all agents together; null ends it."""

    person = serializers.EmailField(required=False, max_length=254)
    monthly_micros = StrictNumber(min_value=0, max_value=10**12, allow_null=True)
