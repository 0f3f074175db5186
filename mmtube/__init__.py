"""mmtube: who does what, where and when in untrimmed video."""

from . import compat
from .version import __version__

compat.install()

__all__ = ['__version__']
