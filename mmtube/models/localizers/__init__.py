from .stem import StreamStem

__all__ = ['StreamStem']
