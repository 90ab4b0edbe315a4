"""What agents have announced, as it is told to every employee."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from client.demo.models import Announcement
from client.demo.shapes import AnnouncementEntry

TOLD_AFTER = timedelta(days=2)  # that it is over: a computer that slept over the week-end asks late
MOST = 100


def told() -> tuple[AnnouncementEntry, ...]:
    """What is told now, newest first."""
    now = timezone.now()
    found = Announcement.objects.filter(Q(over_at=None) | Q(over_at__gt=now - TOLD_AFTER), begins_at__lte=now)[:MOST]
    return tuple(
        AnnouncementEntry(
            id=str(one.pk),
            title=one.title,
            text=one.text,
            kind=one.kind,
            causes=_lines(one.causes),
            subjects=_lines(one.subjects),
            begins_at=one.begins_at,
            ends_at=one.ends_at,
            over=one.over_at is not None and one.over_at <= now,
        )
        for one in found
    )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())[:50]
