"""What people may send about money; the services decide what is right about it."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from farm.accounts.models import new_uid
from farm.accounts.refusals import Refused


class _Amount(forms.Form):
    """Net euros, typed in the reader's language."""

    amount = forms.DecimalField(
        min_value=0, max_value=1_000_000, decimal_places=2, localize=True, required=False
    )

    def cents(self) -> int:
        """The amount of a form that is valid; 0 for none."""
        return int((self.cleaned_data["amount"] or Decimal(0)) * 100)

    def refuse(self, refused: Refused) -> None:
        """Show a service's no at the field it belongs to."""
        self.add_error(
            refused.field if refused.field in self.fields else None, str(refused.sentence)
        )


class TopUpForm(_Amount):
    """So much is to be paid in, typed or picked; a form that is sent twice counts once by `key`."""

    pick = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)
    key = forms.CharField(required=False, max_length=12)

    def cents(self) -> int:
        """The amount of a form that is valid; 0 for none."""
        picked: int | None = self.cleaned_data["pick"]
        return picked * 100 if picked else super().cents()

    def own_key(self) -> str:
        """What a page that is sent again keeps."""
        return str(self["key"].value() or new_uid())


class AutomaticForm(_Amount):
    """So much is charged to the kept card by itself, once somebody agreed."""

    agreed = forms.BooleanField(required=False)


class VatForm(forms.Form):
    """A VAT id."""

    vat_id = forms.CharField(required=False, max_length=40)

    def refuse(self, refused: Refused) -> None:
        """Show a service's no at the field it belongs to."""
        self.add_error(
            refused.field if refused.field in self.fields else None, str(refused.sentence)
        )
