from .box_grid import BoxGrid, TubeletBoxes
from .extractor import TubeletExtractor
from .film_windows import FilmWindows, resample

__all__ = ['BoxGrid', 'FilmWindows', 'TubeletBoxes', 'TubeletExtractor', 'resample']
