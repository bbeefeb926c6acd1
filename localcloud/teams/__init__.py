"""Stand-in of Teams: the flow that posts cards into a channel, and somebody in that channel who asks."""
