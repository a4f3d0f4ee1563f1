"""The machine: locks, folders, cores, memory, failures."""
