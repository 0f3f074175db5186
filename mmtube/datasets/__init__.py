from .frame_source import Frame, FrameSource

__all__ = ['Frame', 'FrameSource']
