"""From a script to bodies and objects in space."""
