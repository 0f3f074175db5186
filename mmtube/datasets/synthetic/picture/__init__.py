"""From bodies to frames."""
