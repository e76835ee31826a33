"""What the running server is measured by: one module for each place where the figures come from."""
