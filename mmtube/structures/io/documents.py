"""What readers of text and JSON start from, in this package and in others."""

from ._common import text_of
from ._json import Node, read_json

__all__ = ['Node', 'read_json', 'text_of']
