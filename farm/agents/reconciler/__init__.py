"""What moves servers and agents: claim a row, take one step, write it down."""
