"""Updates for real: a server with a log, a client without a guest, and a guest that goes to version 2 and back."""
