from .efficientdet_head import EfficientDetHead
from .pico_head import PicoHeadV2

__all__ = ['EfficientDetHead', 'PicoHeadV2']
