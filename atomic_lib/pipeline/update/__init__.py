"""The update of a variant: version 2 composed beside version 1, downloaded, deployed and rolled back."""
