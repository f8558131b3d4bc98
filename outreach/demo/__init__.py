"""The sample practice, and the whole main job shown on it. On top of everything: it calls, and holds no rules."""
