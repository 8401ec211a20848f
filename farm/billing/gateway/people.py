"""Who buys, at Stripe: customers, their cards, their VAT ids."""

from __future__ import annotations

from collections.abc import Sequence

import stripe

from farm.billing import gateway_reading as reading
from farm.billing import gateway_values as values
from farm.billing.gateway.line import Line, once, plain, sorted_errors


class People(Line):
    """Customers and what is kept of them."""

    def make_customer(self, buyer: values.Buyer, key: str) -> values.Customer:
        """A customer of ours there."""
        asked: stripe.params.CustomerCreateParams = {
            "email": buyer.email,
            "name": buyer.name,
            "metadata": dict(buyer.metadata),
        }
        if buyer.country:
            asked["address"] = {"country": buyer.country}
        with sorted_errors():
            made = self.client.v1.customers.create(asked, once(key))
        return reading.customer_of(plain(made))

    def change_customer(self, uid: str, buyer: values.Buyer) -> values.Customer:
        """Name and mail from now on; where they are is asked on the pages."""
        with sorted_errors():
            made = self.client.v1.customers.update(
                uid, {"email": buyer.email, "name": buyer.name, "metadata": dict(buyer.metadata)}
            )
        return reading.customer_of(plain(made))

    def cards(self, customer: str) -> Sequence[values.Card]:
        """The cards that are kept, the newest first."""
        with sorted_errors():
            found = self.client.v1.customers.payment_methods.list(customer, {"limit": 100})
            return [reading.card_of(plain(one)) for one in found.auto_paging_iter()]

    def forget_card(self, uid: str) -> None:
        """Keep it no longer; one that is gone is no error."""
        with sorted_errors(gone_is_fine=True):
            self.client.v1.payment_methods.detach(uid)

    def add_tax_id(self, customer: str, value: str, key: str) -> values.TaxId:
        """A VAT id of the European Union; Rejected with code tax_id_invalid if it is none."""
        with sorted_errors():
            made = self.client.v1.customers.tax_ids.create(
                customer, {"type": "eu_vat", "value": value}, once(key)
            )
        return reading.tax_id_of(plain(made))

    def tax_ids(self, customer: str) -> Sequence[values.TaxId]:
        """All of the customer's."""
        with sorted_errors():
            found = self.client.v1.customers.tax_ids.list(customer)
            return [reading.tax_id_of(plain(one)) for one in found.auto_paging_iter()]

    def remove_tax_id(self, customer: str, uid: str) -> None:
        """The customer has it no longer; one that is gone is no error."""
        with sorted_errors(gone_is_fine=True):
            self.client.v1.customers.tax_ids.delete(customer, uid)

    def portal(self, customer: str, return_url: str) -> str:
        """The address of a page where the customer looks after cards and papers, for a while."""
        with sorted_errors():
            opened = self.client.v1.billing_portal.sessions.create(
                {"customer": customer, "return_url": return_url}
            )
        return opened.url
