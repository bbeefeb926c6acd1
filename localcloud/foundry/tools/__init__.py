"""The kinds of tools an agent may have: how each is offered to the thinker, and how a call of it is worked."""
