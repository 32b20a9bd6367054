"""From light to candidates to checked, measured, encoded pairs."""
