from .pico_head import PicoHeadV2

__all__ = ['PicoHeadV2']
