"""The film with its tubes and a timeline to click on, as one HTML page."""

from .page import viewer_page, write_viewer

__all__ = ['viewer_page', 'write_viewer']
