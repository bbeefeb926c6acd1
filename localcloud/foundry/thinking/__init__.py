"""What answers in place of the service's model: any chat-completions endpoint, or a deterministic planner."""
