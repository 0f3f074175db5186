"""Who somebody is: video re-identification, and the stage of the pipeline that describes boxes with it.

The registries import the modules below when a component is first asked for; this file imports none of them, because
PyTorch takes seconds and a pipeline that tracks by motion or colour needs none of it.
"""
