"""What the employee API remembers beside django-helpdesk's own tables: employees' tokens and the keys of what they sent."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class EmployeeToken(models.Model):
    """A bearer token of one employee. Only its SHA-256 is kept: whoever reads the database cannot use it."""

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    sha256 = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"token of {self.employee}"


class Sent(models.Model):
    """One message of an employee under its `Idempotency-Key`, written in the same transaction as the ticket or reply itself.

    `fingerprint` is the SHA-256 of everything that was sent. `ticket` becomes null when an agent deletes it: a late repetition
    must not bring it back.
    """

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64)
    ticket = models.ForeignKey("helpdesk.Ticket", null=True, on_delete=models.SET_NULL)
    followup = models.ForeignKey("helpdesk.FollowUp", null=True, on_delete=models.SET_NULL)
    is_reply = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One key is used once per employee; the database sees to it."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["employee", "key"], name="deskside_one_key_once")]

    def __str__(self) -> str:
        return f"{self.key} of {self.employee}"


class Announcement(models.Model):
    """What agents tell everybody. Lists are a value a line. `over_at` ends it; it is still told for a while, as over."""

    KINDS: ClassVar = [("outage", "Outage"), ("maintenance", "Maintenance"), ("notice", "Notice")]

    title = models.CharField(max_length=120)
    text = models.TextField(max_length=4000, blank=True)
    kind = models.CharField(max_length=20, choices=KINDS, default="outage")
    causes = models.TextField(
        blank=True, help_text="Deskside's ids of what people will see, one a line: vpn.down, dns.*"
    )
    subjects = models.TextField(blank=True, help_text="The services or hosts it is about, one a line. Empty: all.")
    begins_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="When it should be over, if that is known.")
    over_at = models.DateTimeField(null=True, blank=True, help_text="Set this when it is over.")

    class Meta:
        """The newest first."""

        ordering: ClassVar = ["-begins_at", "-id"]

    def __str__(self) -> str:
        return self.title
