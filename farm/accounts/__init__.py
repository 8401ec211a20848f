"""People, their accounts, and the trail of what they did."""
