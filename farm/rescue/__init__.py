"""The farm's backup of itself, and its way back onto an empty machine."""
