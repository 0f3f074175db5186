from .alphaction_slowfast import AlphActionSlowFast
from .pplcnet import PPLCNet

__all__ = ['AlphActionSlowFast', 'PPLCNet']
