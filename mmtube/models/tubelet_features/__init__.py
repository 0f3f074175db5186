from .box_grid import BoxGrid, TubeletBoxes
from .extractor import TubeletExtractor
from .film_windows import FilmWindows, resample
from .streams import FeatureStreams

__all__ = ['BoxGrid', 'FeatureStreams', 'FilmWindows', 'TubeletBoxes', 'TubeletExtractor', 'resample']
