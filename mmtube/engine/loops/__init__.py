from .two_pass import TwoPassTestLoop, TwoPassValLoop

__all__ = ['TwoPassTestLoop', 'TwoPassValLoop']
