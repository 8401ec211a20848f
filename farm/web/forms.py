"""What people may send; the services decide what is right about it."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from farm.accounts.models import Role, User
from farm.accounts.services import NewInvitation
from farm.agents.refusals import Refused
from farm.agents.services import AgentWish, Answer
from farm.billing.amounts import in_cents
from farm.billing.models import Limit, Payer
from farm.web.presenters.offers import SHARED


class WishForm(forms.Form):
    """A new agent. Every field may be empty: the catalogue has a default for each but the name."""

    name = forms.CharField(required=False, strip=False)
    blueprint = forms.CharField(required=False)
    plan = forms.CharField(required=False)
    region = forms.CharField(required=False)
    model_provider = forms.CharField(required=False)
    model_key = forms.CharField(required=False)
    seen_hourly = forms.CharField(required=False)
    backup_uid = forms.CharField(required=False)

    def text(self, field: str) -> str:
        """What was sent for `field`, or what the form began with."""
        return str(self[field].value() or "")

    def wish(self, language: str) -> AgentWish:
        """The wish of a form that is valid; a shared key is chosen in place of a provider."""
        provider = self.cleaned_data["model_provider"]
        shared = provider.removeprefix(SHARED) if provider.startswith(SHARED) else ""
        return AgentWish(
            name=self.cleaned_data["name"],
            blueprint=self.cleaned_data["blueprint"],
            plan=self.cleaned_data["plan"],
            region=self.cleaned_data["region"],
            language=language,
            model_provider="" if shared else provider,
            model_key="" if shared else self.cleaned_data["model_key"],
            shared_key_uid=shared,
            backup_uid=self.cleaned_data["backup_uid"],
        )

    def refuse(self, refused: Refused) -> None:
        """Show a service's no at the field it belongs to."""
        field = "model_provider" if refused.field == "shared_key_uid" else refused.field
        self.add_error(field if field in self.fields else None, str(refused.sentence))


class AnswerForm(forms.Form):
    """What an invited person answers; everything but the name has what the invitation offers."""

    name = forms.CharField(required=False, strip=False)
    blueprint = forms.CharField(required=False)
    region = forms.CharField(required=False)
    model_provider = forms.CharField(required=False)
    model_key = forms.CharField(required=False)

    def text(self, field: str) -> str:
        """What was sent for `field`, or what the form began with."""
        return str(self[field].value() or "")

    def answer(self, language: str) -> Answer:
        """The answer of a form that is valid."""
        return Answer(
            name=self.cleaned_data["name"],
            blueprint=self.cleaned_data["blueprint"],
            region=self.cleaned_data["region"],
            language=language,
            model_provider=self.cleaned_data["model_provider"],
            model_key=self.cleaned_data["model_key"],
        )

    def refuse(self, refused: Refused) -> None:
        """Show a service's no at the field it belongs to."""
        self.add_error(
            refused.field if refused.field in self.fields else None, str(refused.sentence)
        )


class InvitationForm(forms.Form):
    """An invitation. Every field may be empty: without an address it becomes a link."""

    email = forms.CharField(required=False)
    language = forms.ChoiceField(required=False, choices=(("en", "en"), ("fr", "fr")))
    role = forms.ChoiceField(required=False, choices=Role.choices)
    blueprint = forms.CharField(required=False)
    plan = forms.CharField(required=False)
    region = forms.CharField(required=False)
    payer_uid = forms.CharField(required=False)
    cost_centre = forms.CharField(required=False)
    shared_key_uid = forms.CharField(required=False)
    budget = forms.DecimalField(
        required=False,
        min_value=Decimal("0.01"),
        max_value=100_000,
        decimal_places=2,
        localize=True,
    )
    days = forms.IntegerField(required=False)
    most_uses = forms.IntegerField(required=False)

    def text(self, field: str) -> str:
        """What was sent for `field`, or what the form began with."""
        value = self[field].value()
        return "" if value is None else str(value)

    def offer(self, language: str) -> NewInvitation:
        """The offer of a form that is valid."""
        sent = self.cleaned_data
        budget = sent["budget"]
        return NewInvitation(
            email=sent["email"],
            language=sent["language"] or language,
            role=Role(sent["role"] or Role.MEMBER),
            payer_uid=sent["payer_uid"],
            cost_centre=sent["cost_centre"],
            blueprint=sent["blueprint"],
            plan=sent["plan"],
            region=sent["region"],
            shared_key_uid=sent["shared_key_uid"],
            ai_budget_micros=None if budget is None else int(budget * 1_000_000),
            days=14 if sent["days"] is None else sent["days"],
            most_uses=1 if sent["most_uses"] is None else sent["most_uses"],
        )

    def refuse(self, refused: Refused) -> None:
        """Show a service's no at the field it belongs to."""
        field = "budget" if refused.field == "ai_budget_micros" else refused.field
        self.add_error(field if field in self.fields else None, str(refused.sentence))


class PersonForm(forms.Form):
    """How agents call a person."""

    name = forms.CharField(required=False, max_length=80)


class LimitForm(forms.Form):
    """What a person's agents, or all, may cost a payer in a month; empty for no limit."""

    limit = forms.DecimalField(
        required=False, min_value=0, max_value=1_000_000, decimal_places=2, localize=True
    )

    @staticmethod
    def of(payer: Payer, person: User | None) -> dict[str, Decimal]:
        """What the form begins with."""
        limit = Limit.objects.filter(payer=payer, person=person).first()
        return {"limit": in_cents(limit.monthly_micros)} if limit else {}

    def micros(self) -> int | None:
        """The limit of a form that is valid, in micro-euros."""
        limit = self.cleaned_data["limit"]
        return None if limit is None else int(limit * 1_000_000)


class PayerForm(forms.Form):
    """Who pays for an agent from the next hour on; `until` makes it a gift."""

    payer_uid = forms.CharField(required=False)
    cost_centre = forms.CharField(required=False)
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
