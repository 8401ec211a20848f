"""What machines cost, and who pays."""
