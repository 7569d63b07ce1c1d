"""Updates by casync: a client that downloads the chunks that it lacks."""
