"""A sweep on a cluster of dask.distributed: the workers solve, this machine stores."""
