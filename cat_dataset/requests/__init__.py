"""An edit as a person types it, and as a picture remembers it."""
