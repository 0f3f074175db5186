"""Hypothesis: the same examples in each run, and no test on time."""

from hypothesis import settings

settings.register_profile('mmtube', deadline=None, derandomize=True)
settings.load_profile('mmtube')
