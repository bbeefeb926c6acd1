"""Repairs of incidents without anybody asking: playbooks of the policy, step by step, each within its limits."""
