from .overlay import Person, TubeOverlay, draw_people
from .timeline import draw_timeline

__all__ = ['Person', 'TubeOverlay', 'draw_people', 'draw_timeline']
