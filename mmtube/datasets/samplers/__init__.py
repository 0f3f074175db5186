from .class_balanced import ClassBalancedSampler, repeat_factors
from .pk_sequences import PKSequenceSampler

__all__ = ['ClassBalancedSampler', 'PKSequenceSampler', 'repeat_factors']
