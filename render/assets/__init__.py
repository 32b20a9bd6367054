"""The user's own scenes, models and HDRIs; nothing in them is trusted."""
