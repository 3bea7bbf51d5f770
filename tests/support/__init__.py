"""What the tests stand on: Node with Knex, a PostgreSQL, and readers of what came out. No tests in here."""
