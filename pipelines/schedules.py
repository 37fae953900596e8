"""What runs at night and at weekends once it is turned on."""

from typing import Any

import dagster as dg


def schedules(jobs: dict[str, Any]) -> list[dg.ScheduleDefinition]:
    """All schedules; ``jobs`` by name are what they start. Times are UTC."""
    return [
        dg.ScheduleDefinition(
            "nightly_refresh",
            job=jobs["refresh_job"],
            cron_schedule="0 2 * * *",
            description="Makes anew what was made before and has changed, of all studies.",
        ),
        dg.ScheduleDefinition(
            "weekly_maintenance",
            job=jobs["maintenance_job"],
            cron_schedule="0 5 * * 0",
            description="Says what nobody needs and reads every byte of what is current.",
        ),
    ]
