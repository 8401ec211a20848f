"""Stripe as a farm meets it: an API, hosted pages, webhooks, and books of every cent."""
