"""An upgrade of a guest, recorded write by write, so that each moment of it can be a power cut."""
