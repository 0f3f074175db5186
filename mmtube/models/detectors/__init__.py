from .object_detector import ObjectDetector
from .person_detector import PersonDetector

__all__ = ['ObjectDetector', 'PersonDetector']
