"""From a seed to the script of a film."""
