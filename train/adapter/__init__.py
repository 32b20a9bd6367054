"""The numeric adapter, how it hooks onto a transformer, LoRA, and numbers in the prompt."""
