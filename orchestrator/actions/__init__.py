"""Changes of factories from proposal to outcome: decided by policy and people, done once, followed, and on record."""
