"""The audit trail: who did what, why, and what came of it; in chains of hashes that nobody can change unseen."""
