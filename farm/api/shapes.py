"""What the API shows and takes: money net, in integer millionths of a currency; times in UTC."""

from __future__ import annotations

from rest_framework import serializers

from farm.accounts.models import Invitation, Role
from farm.agents.models import Agent, AgentPhase, Event, Operation, OperationKind, OperationState
from farm.agents.selectors import Cost
from farm.api.errors import Problem
from farm.api.fields import StrictNumber, secret, text
from farm.api.pages import Page
from farm.billing.models import Payer
from farm.billing.statements import AgentCost, PersonCost, Statement

Shape = serializers.Serializer


class ProblemShape(Shape[Problem]):
    """What went wrong, and what to do."""

    error = serializers.CharField(read_only=True)
    code = serializers.CharField(read_only=True)
    field = serializers.CharField(read_only=True)


class AccountShape(Shape[dict[str, str]]):
    """An account that the token's person is in."""

    uid = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    role = serializers.CharField(read_only=True)


class AgentShape(Shape[Agent]):
    """One agent."""

    uid = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    account = serializers.CharField(source="account.uid", read_only=True)
    owner = serializers.EmailField(source="owner.email", read_only=True)
    phase = serializers.ChoiceField(choices=AgentPhase.choices, read_only=True)
    phase_since = serializers.DateTimeField(read_only=True)
    wanted = serializers.ChoiceField(choices=Agent.Wanted.choices, read_only=True)
    reason = serializers.CharField(read_only=True)
    blueprint = serializers.CharField(read_only=True)
    plan = serializers.CharField(read_only=True)
    region = serializers.CharField(read_only=True)
    language = serializers.CharField(read_only=True)
    model = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)


class AgentPage(Shape[Page[Agent]]):
    """A piece of the list."""

    items = AgentShape(many=True, read_only=True)
    next = serializers.CharField(allow_null=True, read_only=True)


class NewAgent(Shape[None]):
    """What is asked for; whatever is left out is as the catalogue or the account has it.

    With `shared_key` neither `model_provider` nor `model_key` is needed. Secrets are never shown.
    """

    account = text(12, required=False)
    name = text(40)
    blueprint = text(40, required=False)
    plan = text(40, required=False)
    region = text(40, required=False)
    language = serializers.ChoiceField(choices=["en", "fr"], default="en")
    model_provider = text(20, required=False)
    model_key = secret(400)
    shared_key = text(12, required=False)
    ai_budget_micros = StrictNumber(min_value=0, max_value=10**12, allow_null=True, default=None)
    payer = text(12, required=False)
    cost_centre = text(40, required=False)


class OperationShape(Shape[Operation]):
    """A wish and how it stands."""

    kind = serializers.ChoiceField(choices=OperationKind.choices, read_only=True)
    state = serializers.ChoiceField(choices=OperationState.choices, read_only=True)
    started_at = serializers.DateTimeField(read_only=True)
    ended_at = serializers.DateTimeField(allow_null=True, read_only=True)


class EventShape(Shape[Event]):
    """One line of an agent's history."""

    id = serializers.CharField(source="pk", read_only=True)
    at = serializers.DateTimeField(read_only=True)
    code = serializers.CharField(read_only=True)
    detail = serializers.CharField(read_only=True)


class EventPage(Shape[Page[Event]]):
    """A piece of the history, the newest first."""

    items = EventShape(many=True, read_only=True)
    next = serializers.CharField(allow_null=True, read_only=True)


class CostShape(Shape[Cost]):
    """What an agent's machine costs and has cost."""

    so_far_micros = serializers.IntegerField(read_only=True)
    hourly_micros = serializers.IntegerField(read_only=True)
    monthly_cap_micros = serializers.IntegerField(read_only=True)
    currency = serializers.CharField(read_only=True)


class InvitationShape(Shape[Invitation]):
    """An invitation, without its link: that is shown once, when it is made."""

    uid = serializers.CharField(read_only=True)
    email = serializers.CharField(read_only=True)
    role = serializers.ChoiceField(choices=Role.choices, read_only=True)
    inviter = serializers.EmailField(source="inviter.email", read_only=True)
    payer = serializers.CharField(source="payer_uid", read_only=True)
    cost_centre = serializers.CharField(read_only=True)
    shared_key = serializers.CharField(source="shared_key_uid", read_only=True)
    ai_budget_micros = serializers.IntegerField(allow_null=True, read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)
    most_uses = serializers.IntegerField(read_only=True)
    taken = serializers.IntegerField(read_only=True)
    revoked_at = serializers.DateTimeField(allow_null=True, read_only=True)


class InvitationPage(Shape[Page[Invitation]]):
    """A piece of the list."""

    items = InvitationShape(many=True, read_only=True)
    next = serializers.CharField(allow_null=True, read_only=True)


class MadeInvitation(InvitationShape):
    """An invitation as it was made; `link` is known now and never again, null for a mailed one."""

    link = serializers.URLField(allow_null=True, read_only=True)


class InvitationWish(Shape[None]):
    """What is offered; whatever is left out is as account and catalogue have it.

    With `email` it is mailed to that address and used once. Without a word about AI the account's
    first shared key is offered; `shared_key` "own" has the guest bring a key of their own.
    """

    email = serializers.EmailField(required=False, max_length=254)
    language = serializers.ChoiceField(choices=["en", "fr"], default="en")
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)
    payer = text(12, required=False)
    cost_centre = text(40, required=False)
    blueprint = text(40, required=False)
    plan = text(40, required=False)
    region = text(40, required=False)
    shared_key = text(12, required=False)
    ai_budget_micros = StrictNumber(min_value=0, max_value=10**12, allow_null=True, default=None)
    days = StrictNumber(min_value=1, max_value=365, default=14)
    most_uses = StrictNumber(min_value=1, max_value=500, default=1)


class PayerShape(Shape[Payer]):
    """Who may be charged."""

    uid = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    kind = serializers.ChoiceField(choices=Payer.Kind.choices, read_only=True)


class AgentCostShape(Shape[AgentCost]):
    """One agent's part of a statement; `unseen` AI is counted at what it may have cost at most."""

    uid = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    hours = serializers.IntegerField(read_only=True)
    machine_micros = serializers.IntegerField(source="machine", read_only=True)
    ai_micros = serializers.IntegerField(source="ai", read_only=True)
    calls = serializers.IntegerField(read_only=True)
    unseen_micros = serializers.IntegerField(source="unseen", read_only=True)
    fee_micros = serializers.IntegerField(source="fee", read_only=True)


class PersonCostShape(Shape[PersonCost]):
    """One person's part under one cost centre."""

    email = serializers.CharField(read_only=True)
    cost_centre = serializers.CharField(read_only=True)
    total_micros = serializers.IntegerField(source="total", read_only=True)
    agents = AgentCostShape(many=True, read_only=True)


class StatementShape(Shape[Statement]):
    """One payer's month, net; a statement, not an invoice."""

    payer = serializers.CharField(source="payer.uid", read_only=True)
    month = serializers.DateField(format="%Y-%m-%d", read_only=True)
    currency = serializers.CharField(read_only=True)
    machine_micros = serializers.IntegerField(source="machine", read_only=True)
    ai_micros = serializers.IntegerField(source="ai", read_only=True)
    fee_micros = serializers.IntegerField(source="fee", read_only=True)
    total_micros = serializers.IntegerField(source="total", read_only=True)
    people = PersonCostShape(many=True, read_only=True)
