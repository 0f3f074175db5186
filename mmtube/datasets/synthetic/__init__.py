"""SEAL-mini: rendered films of people who act, with annotations in the schema of SEAL."""

from .direction.activities import COMPLEX_NAMES
from .direction.director import direct
from .mini_set import FilmReport, film_truth, label_maps, make_film, render_films, write_annotations
from .options import SPLITS, SetOptions
from .picture.renderer import FilmRenderer
from .preview import contact_sheet
from .script import FilmScript
from .vocabulary import ATOMIC_NAMES

__all__ = [
    'ATOMIC_NAMES',
    'COMPLEX_NAMES',
    'SPLITS',
    'FilmRenderer',
    'FilmReport',
    'FilmScript',
    'SetOptions',
    'contact_sheet',
    'direct',
    'film_truth',
    'label_maps',
    'make_film',
    'render_films',
    'write_annotations',
]
