"""What people may send; the services decide what is right about it."""

from __future__ import annotations

from django import forms

from farm.agents.refusals import Refused
from farm.agents.services import AgentWish


class WishForm(forms.Form):
    """A new agent. Every field may be empty: the catalogue has a default for each but the name."""

    name = forms.CharField(required=False, strip=False)
    blueprint = forms.CharField(required=False)
    plan = forms.CharField(required=False)
    region = forms.CharField(required=False)
    model_provider = forms.CharField(required=False)
    model_key = forms.CharField(required=False)
    seen_hourly = forms.CharField(required=False)

    def text(self, field: str) -> str:
        """What was sent for `field`, or what the form began with."""
        return str(self[field].value() or "")

    def wish(self, language: str) -> AgentWish:
        """The wish of a form that is valid."""
        return AgentWish(
            name=self.cleaned_data["name"],
            blueprint=self.cleaned_data["blueprint"],
            plan=self.cleaned_data["plan"],
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


class PersonForm(forms.Form):
    """How agents call a person."""

    name = forms.CharField(required=False, max_length=80)
