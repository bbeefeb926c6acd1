"""Messages to people and to the programs that wait for us."""
