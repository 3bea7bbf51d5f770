import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE idempotency_keys (
      id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
      tenant_id UUID NOT NULL,
      idempotency_key VARCHAR(255) NOT NULL,
      operation VARCHAR(100) NOT NULL,
      user_id UUID,
      request_hash VARCHAR(64) NOT NULL,
      status VARCHAR(20) NOT NULL DEFAULT 'processing',
      response_status INTEGER,
      response_body JSONB,
      locked_at TIMESTAMPTZ,
      locked_by VARCHAR(255),
      lock_expires_at TIMESTAMPTZ,
      created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
      expires_at TIMESTAMPTZ NOT NULL DEFAULT NOW() + INTERVAL '24 hours',
      CONSTRAINT uq_idempotency_tenant_key_operation UNIQUE (tenant_id, idempotency_key, operation)
    );

    CREATE INDEX idx_idempotency_keys_expires ON idempotency_keys (expires_at);

    -- Keys of one tenant must not answer requests of another.
    ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
    CREATE POLICY idempotency_keys_tenant_isolation ON idempotency_keys
      USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
      WITH CHECK (tenant_id = current_setting('app.current_tenant_id', true)::uuid);
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION acquire_idempotency_key(
      p_tenant_id UUID, p_key VARCHAR, p_operation VARCHAR, p_request_hash VARCHAR, p_locked_by VARCHAR
    ) RETURNS TABLE (key_id UUID, is_new BOOLEAN, stored_status INTEGER, stored_body JSONB) AS $$
    DECLARE
      found_key RECORD;
    BEGIN
      INSERT INTO idempotency_keys (tenant_id, idempotency_key, operation, request_hash, locked_at, locked_by, lock_expires_at)
      VALUES (p_tenant_id, p_key, p_operation, p_request_hash, NOW(), p_locked_by, NOW() + INTERVAL '5 minutes')
      ON CONFLICT (tenant_id, idempotency_key, operation) DO NOTHING
      RETURNING id INTO found_key;
      IF found_key.id IS NOT NULL THEN
        RETURN QUERY SELECT found_key.id, TRUE, NULL::INTEGER, NULL::JSONB;
        RETURN;
      END IF;
      RETURN QUERY
      SELECT k.id, FALSE, k.response_status, k.response_body
        FROM idempotency_keys k
       WHERE k.tenant_id = p_tenant_id AND k.idempotency_key = p_key AND k.operation = p_operation;
    END;
    $$ LANGUAGE plpgsql
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION complete_idempotency_key(p_key_id UUID, p_status INTEGER, p_body JSONB) RETURNS void AS $$
    BEGIN
      UPDATE idempotency_keys
         SET status = 'completed', response_status = p_status, response_body = p_body, locked_at = NULL
       WHERE id = p_key_id;
    END;
    $$ LANGUAGE plpgsql;

    CREATE OR REPLACE FUNCTION release_idempotency_lock(p_key_id UUID, p_set_failed BOOLEAN DEFAULT FALSE) RETURNS void AS $$
    BEGIN
      UPDATE idempotency_keys
         SET locked_at = NULL, locked_by = NULL, status = CASE WHEN p_set_failed THEN 'failed' ELSE status END
       WHERE id = p_key_id;
    END;
    $$ LANGUAGE plpgsql;

    CREATE OR REPLACE FUNCTION cleanup_expired_idempotency_keys() RETURNS INTEGER AS $$
    DECLARE
      removed INTEGER;
    BEGIN
      DELETE FROM idempotency_keys WHERE expires_at < NOW();
      GET DIAGNOSTICS removed = ROW_COUNT;
      RETURN removed;
    END;
    $$ LANGUAGE plpgsql SECURITY DEFINER;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DROP FUNCTION IF EXISTS cleanup_expired_idempotency_keys();
    DROP FUNCTION IF EXISTS release_idempotency_lock(UUID, BOOLEAN);
    DROP FUNCTION IF EXISTS complete_idempotency_key(UUID, INTEGER, JSONB);
    DROP FUNCTION IF EXISTS acquire_idempotency_key(UUID, VARCHAR, VARCHAR, VARCHAR, VARCHAR);
    DROP TABLE IF EXISTS idempotency_keys;
  `);
}
