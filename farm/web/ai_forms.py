"""Forms about AI: a key to share, a budget."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from farm.agents.refusals import Refused
from farm.agents.services import KeyWish


class KeyForm(forms.Form):
    """A key to share; everything but the key has a default."""

    provider = forms.CharField(required=False)
    model_key = forms.CharField(required=False)
    name = forms.CharField(required=False)
    model = forms.CharField(required=False)
    base_url = forms.CharField(required=False)
    budget = forms.DecimalField(
        min_value=Decimal("0.01"), max_value=100_000, decimal_places=2, localize=True
    )
    payer_uid = forms.CharField(required=False)

    def text(self, field: str) -> str:
        """What was sent for `field`, or what the form began with."""
        value = self[field].value()
        return "" if value is None else str(value)

    def wish(self) -> KeyWish:
        """The wish of a form that is valid."""
        sent = self.cleaned_data
        return KeyWish(
            provider=sent["provider"],
            key=sent["model_key"],
            name=sent["name"],
            model=sent["model"],
            base_url=sent["base_url"],
            monthly_micros=int(sent["budget"] * 1_000_000),
            payer_uid=sent["payer_uid"],
        )

    def refuse(self, refused: Refused) -> None:
        """Show a service's no at the field it belongs to."""
        field = "provider" if refused.field == "model_provider" else refused.field
        self.add_error(field if field in self.fields else None, str(refused.sentence))


class BudgetForm(forms.Form):
    """What an agent may spend on AI in a month, in euros."""

    budget = forms.DecimalField(
        min_value=Decimal("0.01"), max_value=100_000, decimal_places=2, localize=True
    )

    def micros(self) -> int:
        """The budget of a form that is valid, in micro-euros."""
        return int(self.cleaned_data["budget"] * 1_000_000)
