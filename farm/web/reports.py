"""What a browser reads of an error that no view caught: never a setting, never a line of code."""

from __future__ import annotations

from django.core.exceptions import DisallowedHost
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter


class NothingTold(ExceptionReporter):
    """Stands in for Django's page with every setting, which DEBUG shows; the log tells all.

    Whoever asks under a strange host name may be a page elsewhere whose name leads here.
    """

    def get_traceback_html(self) -> SafeString:
        """The farm's own page."""
        if isinstance(self.exc_value, DisallowedHost):
            return self.get_traceback_text()
        return render_to_string("500.html")

    def get_traceback_text(self) -> SafeString:
        """A sentence."""
        return mark_safe("This is no address of the farm, or it stumbled: its log says which.\n")
