"""Who answers: the roster of agents, their instructions, and how they come to exist in the agent service."""
