"""The door for programs: REST under /api/v1, over the same services as site and command line."""
