"""Parameters of flows: their JSON Schema from type hints, and typed values from JSON."""
