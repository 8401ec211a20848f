"""A Hetzner Cloud on one machine: its API, its servers' lives, and its own books."""
