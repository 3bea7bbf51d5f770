"""Deliver: files and git branches; the only stage that writes in the workspace."""
