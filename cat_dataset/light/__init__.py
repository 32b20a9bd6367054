"""The effect of an edit on light, and reading it back."""
