from .alphaction_slowfast import AlphActionSlowFast
from .frames_then_time import FramesThenTime
from .pplcnet import PPLCNet
from .r2plus1d_tsp import R2Plus1D34TSP

__all__ = ['AlphActionSlowFast', 'FramesThenTime', 'PPLCNet', 'R2Plus1D34TSP']
