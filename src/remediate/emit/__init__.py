"""Emit: new migration files as text, in the house style of the service."""
