"""JupyterLab with the notebooks: how the server starts, and how its kernels show errors, progress and tables."""
