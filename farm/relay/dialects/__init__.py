"""How each provider's wire format is read, bounded, metered and answered."""
