"""Questions from Teams, by its outgoing webhook: reading what it sends, and the words it gets back."""
