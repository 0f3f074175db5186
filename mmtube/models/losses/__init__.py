from .asymmetric import AsymmetricLoss
from .class_balanced import ClassBalancedLoss
from .grouped_focal import GroupedFocalLoss
from .segment_iou import SegmentIoULoss

__all__ = ['AsymmetricLoss', 'ClassBalancedLoss', 'GroupedFocalLoss', 'SegmentIoULoss']
