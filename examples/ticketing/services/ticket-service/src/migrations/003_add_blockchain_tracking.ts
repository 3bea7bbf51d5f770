import { Pool } from 'pg';

const ISOLATED_TABLES = ['pending_transactions', 'blockchain_sync_log'];

export async function up(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query(`
      CREATE TABLE IF NOT EXISTS pending_transactions (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        tenant_id UUID NOT NULL REFERENCES tenants(id) ON DELETE RESTRICT,
        ticket_id UUID REFERENCES tickets(id) ON DELETE SET NULL,
        event_id UUID REFERENCES events(id) ON DELETE SET NULL,
        from_user_id UUID REFERENCES users(id) ON DELETE SET NULL,
        to_user_id UUID REFERENCES users(id) ON DELETE SET NULL,
        tx_signature VARCHAR(128) UNIQUE,
        tx_type VARCHAR(30) NOT NULL CHECK (tx_type IN ('mint', 'transfer', 'burn', 'metadata_update', 'verify')),
        status VARCHAR(20) NOT NULL DEFAULT 'pending'
          CHECK (status IN ('pending', 'confirming', 'confirmed', 'failed', 'expired', 'replaced')),
        blockhash VARCHAR(64),
        last_valid_block_height BIGINT,
        slot BIGINT,
        block_time TIMESTAMPTZ,
        retry_count INTEGER NOT NULL DEFAULT 0,
        max_retries INTEGER NOT NULL DEFAULT 3,
        last_retry_at TIMESTAMPTZ,
        error_code VARCHAR(50),
        error_message TEXT,
        submitted_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
        confirmed_at TIMESTAMPTZ
      );

      CREATE TABLE IF NOT EXISTS blockchain_sync_log (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        tenant_id UUID NOT NULL REFERENCES tenants(id) ON DELETE RESTRICT,
        ticket_id UUID REFERENCES tickets(id) ON DELETE CASCADE,
        operation VARCHAR(50) NOT NULL,
        db_state JSONB,
        chain_state JSONB,
        synced_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
      );

      CREATE INDEX IF NOT EXISTS idx_pending_tx_status ON pending_transactions (status, submitted_at)
        WHERE status IN ('pending', 'confirming');
      CREATE INDEX IF NOT EXISTS idx_pending_tx_expired ON pending_transactions (last_valid_block_height)
        WHERE status = 'pending';
    `);

    for (const table of ISOLATED_TABLES) {
      await client.query(`
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY ${table}_tenant_isolation ON ${table}
          USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
          WITH CHECK (tenant_id = current_setting('app.current_tenant_id', true)::uuid);
      `);
    }

    await client.query(`
      CREATE OR REPLACE FUNCTION create_pending_transaction(
        p_tenant_id UUID, p_ticket_id UUID, p_tx_type VARCHAR, p_blockhash VARCHAR, p_last_valid_block_height BIGINT
      ) RETURNS UUID AS $$
      DECLARE
        new_id UUID;
      BEGIN
        INSERT INTO pending_transactions (tenant_id, ticket_id, tx_type, blockhash, last_valid_block_height)
        VALUES (p_tenant_id, p_ticket_id, p_tx_type, p_blockhash, p_last_valid_block_height)
        RETURNING id INTO new_id;
        RETURN new_id;
      END;
      $$ LANGUAGE plpgsql;

      CREATE OR REPLACE FUNCTION confirm_transaction(p_tx_signature VARCHAR, p_slot BIGINT, p_block_time TIMESTAMPTZ)
      RETURNS BOOLEAN AS $$
      BEGIN
        UPDATE pending_transactions
           SET status = 'confirmed', slot = p_slot, block_time = p_block_time, confirmed_at = NOW()
         WHERE tx_signature = p_tx_signature AND status IN ('pending', 'confirming');
        RETURN FOUND;
      END;
      $$ LANGUAGE plpgsql;

      CREATE OR REPLACE FUNCTION fail_transaction(p_tx_signature VARCHAR, p_error_code VARCHAR, p_message TEXT)
      RETURNS BOOLEAN AS $$
      BEGIN
        UPDATE pending_transactions
           SET status = 'failed', error_code = p_error_code, error_message = p_message
         WHERE tx_signature = p_tx_signature AND status IN ('pending', 'confirming');
        RETURN FOUND;
      END;
      $$ LANGUAGE plpgsql;

      CREATE OR REPLACE FUNCTION has_pending_transaction(p_ticket_id UUID) RETURNS BOOLEAN AS $$
        SELECT EXISTS (
          SELECT 1 FROM pending_transactions WHERE ticket_id = p_ticket_id AND status IN ('pending', 'confirming')
        )
      $$ LANGUAGE sql STABLE;

      CREATE OR REPLACE FUNCTION get_pending_transaction_status(p_tx_signature VARCHAR) RETURNS VARCHAR AS $$
        SELECT status FROM pending_transactions WHERE tx_signature = p_tx_signature
      $$ LANGUAGE sql STABLE;
    `);
  } finally {
    client.release();
  }
}

export async function down(pool: Pool): Promise<void> {
  await pool.query(`
    DROP FUNCTION IF EXISTS get_pending_transaction_status(VARCHAR);
    DROP FUNCTION IF EXISTS has_pending_transaction(UUID);
    DROP FUNCTION IF EXISTS fail_transaction(VARCHAR, VARCHAR, TEXT);
    DROP FUNCTION IF EXISTS confirm_transaction(VARCHAR, BIGINT, TIMESTAMPTZ);
    DROP FUNCTION IF EXISTS create_pending_transaction(UUID, UUID, VARCHAR, VARCHAR, BIGINT);
    DROP TABLE IF EXISTS blockchain_sync_log;
    DROP TABLE IF EXISTS pending_transactions;
  `);
}
