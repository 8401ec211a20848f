"""What a farm is asked once, before it serves people: the answers, their checks, and the start."""
