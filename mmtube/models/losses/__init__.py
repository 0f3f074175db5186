from .asymmetric import AsymmetricLoss
from .class_balanced import ClassBalancedLoss
from .grouped_focal import GroupedFocalLoss

__all__ = ['AsymmetricLoss', 'ClassBalancedLoss', 'GroupedFocalLoss']
