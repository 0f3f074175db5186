from .separable_conv import SeparableConv

__all__ = ['SeparableConv']
