"""Updates that a machine must refuse, or resume: what is wrong with them, and what the machine shows."""
