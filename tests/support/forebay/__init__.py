"""Real processes of Forebay, driven from outside. Shares no code with what it tests."""
