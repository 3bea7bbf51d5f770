"""Source: from a workspace to its services, their migrations and the application code beside them."""
