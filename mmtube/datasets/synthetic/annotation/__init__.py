"""From bodies to the ground truth of every stage."""
