"""The domain: what an incident, a ward, a count and a measure are. No HTTP, no file formats."""
