"""A Slack of the sandbox's own: the Web API, socket mode, and people who write to bots."""
