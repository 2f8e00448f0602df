"""A report as one page: the network, its curves, its errors, and how it came about.

``page``      what a report is made from, and the page
``sections``  the cards on it
``errors``    predictions against what was measured
``charts``    small charts as SVG

The page has no script and loads nothing; whatever comes from the data is escaped text.
"""

from .page import PageData, report_page

__all__ = ["PageData", "report_page"]
