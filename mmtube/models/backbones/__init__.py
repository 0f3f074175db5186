from .alphaction_slowfast import AlphActionSlowFast
from .pplcnet import PPLCNet
from .r2plus1d_tsp import R2Plus1D34TSP

__all__ = ['AlphActionSlowFast', 'PPLCNet', 'R2Plus1D34TSP']
