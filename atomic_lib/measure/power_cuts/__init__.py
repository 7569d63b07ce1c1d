"""What a power cut leaves behind: each state of a recorded upgrade, checked without booting it."""
