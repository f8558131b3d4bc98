"""Moments in; a decision with its reason for each, and a planned message for those we write to. Nothing is sent."""

from outreach.planning.run import PlanReport, plan_day, today_of

__all__ = ["PlanReport", "plan_day", "today_of"]
