"""The sample practice, and the whole main job shown on it. It calls the rooms below, and holds no rules."""
