"""The body that every source of joints is mapped to, whatever device, names, units and axes it has."""
