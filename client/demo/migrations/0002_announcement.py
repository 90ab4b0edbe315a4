"""What agents announce."""

from __future__ import annotations

from typing import ClassVar

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes the table."""

    dependencies: ClassVar = [("deskside", "0001_initial")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="Announcement",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=120)),
                ("text", models.TextField(blank=True, max_length=4000)),
                (
                    "kind",
                    models.CharField(
                        choices=[("outage", "Outage"), ("maintenance", "Maintenance"), ("notice", "Notice")],
                        default="outage",
                        max_length=20,
                    ),
                ),
                (
                    "causes",
                    models.TextField(
                        blank=True, help_text="Deskside's ids of what people will see, one a line: vpn.down, dns.*"
                    ),
                ),
                (
                    "subjects",
                    models.TextField(
                        blank=True, help_text="The services or hosts it is about, one a line. Empty: all."
                    ),
                ),
                ("begins_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "ends_at",
                    models.DateTimeField(blank=True, help_text="When it should be over, if that is known.", null=True),
                ),
                ("over_at", models.DateTimeField(blank=True, help_text="Set this when it is over.", null=True)),
            ],
            options={"ordering": ["-begins_at", "-id"]},
        ),
    ]
