"""Questions under a seeded storm of faults, and a count from outside of what was lost, doubled, late or left over."""
