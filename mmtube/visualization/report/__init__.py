from .page import build_page
from .run import Run, run_titles, worst_rows
from .thumbnails import Picture, thumbnail
from .training import Training, read_training

__all__ = ['Picture', 'Run', 'Training', 'build_page', 'read_training', 'run_titles', 'thumbnail', 'worst_rows']
