"""What readers and writers of text and JSON start from, in this package and in others."""

from ._common import text_of
from ._json import Node, read_json, write_json

__all__ = ['Node', 'read_json', 'text_of', 'write_json']
