"""The states that a disk had, or could have had, while it was written to: a log of writes, and ext4's journal."""
