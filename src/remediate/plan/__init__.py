"""Plan: from findings to operations, and from operations to files."""
