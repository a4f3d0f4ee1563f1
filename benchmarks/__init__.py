"""How fast the service is beside the one people would otherwise write, and what overload does."""
