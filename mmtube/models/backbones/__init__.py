from .pplcnet import PPLCNet

__all__ = ['PPLCNet']
