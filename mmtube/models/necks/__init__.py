from .bifpn import BiFPN
from .lcpan import LCPAN

__all__ = ['LCPAN', 'BiFPN']
