"""The form in which agents announce something, on Django's pages for them (/admin/)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.utils import timezone

from client.demo.models import Announcement


@admin.register(Announcement)
class AnnouncementAdmin(admin.ModelAdmin):
    """The agents' form."""

    list_display: ClassVar = ("title", "kind", "begins_at", "over_at")
    actions: ClassVar = ("end",)

    @admin.action(description="It is over")
    def end(self, _request: object, chosen: Any) -> None:
        """Ends what was chosen, now."""
        chosen.filter(over_at=None).update(over_at=timezone.now())
