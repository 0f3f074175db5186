"""Networks and trackers; the registries import the rooms below when a component is first asked for."""
