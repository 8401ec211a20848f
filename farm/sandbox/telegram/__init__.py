"""A Telegram of the sandbox's own: the Bot API, a BotFather, and people with a phone."""
