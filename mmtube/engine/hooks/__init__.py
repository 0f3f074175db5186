from .channels_last import ChannelsLastHook
from .memory_pool import MemoryPoolHook

__all__ = ['ChannelsLastHook', 'MemoryPoolHook']
