"""A run as one page of HTML that needs nothing else: no request, no script, and no colour to tell things apart by.

Whatever comes from a cluster or from a command line is anybody's text, and is escaped where it is put in.
"""

from kubectl_safe.render.report.page import page

__all__ = ["page"]
