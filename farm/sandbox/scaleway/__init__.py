"""Scaleway: instances, addresses, block volumes, marketplace and price list, with its own books."""
