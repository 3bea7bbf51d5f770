import { Pool } from 'pg';

const NEW_STATUSES = ['minted', 'active', 'checked_in', 'revoked', 'refunded'];

export async function up(pool: Pool): Promise<void> {
  for (const status of NEW_STATUSES) {
    await pool.query(`ALTER TYPE ticket_status ADD VALUE IF NOT EXISTS '${status}'`);
  }

  await pool.query(`
    DO $$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'revocation_reason') THEN
        CREATE TYPE revocation_reason AS ENUM ('fraud', 'chargeback', 'event_cancelled', 'duplicate', 'admin_action');
      END IF;
    END $$;
  `);

  await pool.query(`
    ALTER TABLE tickets
      ADD COLUMN IF NOT EXISTS status_reason TEXT,
      ADD COLUMN IF NOT EXISTS status_changed_by UUID REFERENCES users(id) ON DELETE SET NULL,
      ADD COLUMN IF NOT EXISTS status_changed_at TIMESTAMPTZ,
      ADD COLUMN IF NOT EXISTS checked_in_at TIMESTAMPTZ,
      ADD COLUMN IF NOT EXISTS checked_in_by UUID REFERENCES users(id) ON DELETE SET NULL,
      ADD COLUMN IF NOT EXISTS token_mint VARCHAR(64)
  `);

  await pool.query(`
    CREATE TABLE IF NOT EXISTS ticket_transfers (
      id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
      tenant_id UUID NOT NULL REFERENCES tenants(id) ON DELETE RESTRICT,
      ticket_id UUID NOT NULL REFERENCES tickets(id) ON DELETE RESTRICT,
      from_user_id UUID NOT NULL REFERENCES users(id),
      to_user_id UUID NOT NULL REFERENCES users(id),
      status VARCHAR(20) NOT NULL DEFAULT 'pending',
      tx_signature VARCHAR(128),
      blockchain_confirmed BOOLEAN NOT NULL DEFAULT FALSE,
      blockchain_confirmed_at TIMESTAMPTZ,
      initiated_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
    )
  `);
  await pool.query(`
    ALTER TABLE ticket_transfers
      ADD COLUMN IF NOT EXISTS tx_signature VARCHAR(128),
      ADD COLUMN IF NOT EXISTS blockchain_confirmed BOOLEAN NOT NULL DEFAULT FALSE,
      ADD COLUMN IF NOT EXISTS blockchain_confirmed_at TIMESTAMPTZ
  `);
  await pool.query('CREATE INDEX IF NOT EXISTS idx_ticket_transfers_initiated ON ticket_transfers (ticket_id, initiated_at DESC)');
  await pool.query('CREATE INDEX IF NOT EXISTS idx_ticket_transfers_signature ON ticket_transfers (tx_signature)');

  await pool.query('ALTER TABLE ticket_transfers ENABLE ROW LEVEL SECURITY');
  await pool.query(`
    CREATE POLICY ticket_transfers_tenant_isolation ON ticket_transfers
      USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
      WITH CHECK (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
  `);

  await pool.query(`
    CREATE OR REPLACE FUNCTION ticket_status_change_trigger() RETURNS TRIGGER AS $$
    BEGIN
      IF NEW.status IS DISTINCT FROM OLD.status THEN
        NEW.status_changed_at := NOW();
        NEW.status_changed_by := NULLIF(current_setting('app.current_user_id', true), '')::uuid;
        NEW.status_reason := COALESCE(NULLIF(current_setting('app.status_change_reason', true), ''), NEW.status_reason);
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;

    DROP TRIGGER IF EXISTS trg_ticket_status_change ON tickets;
    CREATE TRIGGER trg_ticket_status_change BEFORE UPDATE OF status ON tickets
      FOR EACH ROW EXECUTE FUNCTION ticket_status_change_trigger();
  `);

  await pool.query(`
    CREATE OR REPLACE FUNCTION can_check_in_ticket(p_ticket_id UUID, p_event_start TIMESTAMPTZ, p_event_end TIMESTAMPTZ)
    RETURNS BOOLEAN AS $$
      SELECT EXISTS (
        SELECT 1 FROM tickets
         WHERE id = p_ticket_id AND checked_in_at IS NULL
           AND NOW() BETWEEN p_event_start - INTERVAL '4 hours' AND p_event_end
      )
    $$ LANGUAGE sql STABLE
  `);

  await pool.query(`
    CREATE OR REPLACE FUNCTION get_ticket_transfer_history(p_ticket_id UUID)
    RETURNS TABLE (transfer_id UUID, from_user UUID, to_user UUID, transferred_at TIMESTAMPTZ) AS $$
      SELECT id, from_user_id, to_user_id, accepted_at
        FROM ticket_transfers
       WHERE ticket_id = p_ticket_id AND status = 'completed'
       ORDER BY accepted_at
    $$ LANGUAGE sql STABLE
  `);
}

export async function down(pool: Pool): Promise<void> {
  await pool.query(`
    DROP FUNCTION IF EXISTS get_ticket_transfer_history(UUID);
    DROP FUNCTION IF EXISTS can_check_in_ticket(UUID, TIMESTAMPTZ, TIMESTAMPTZ);
    DROP TRIGGER IF EXISTS trg_ticket_status_change ON tickets;
    DROP FUNCTION IF EXISTS ticket_status_change_trigger();
    DROP POLICY IF EXISTS ticket_transfers_tenant_isolation ON ticket_transfers;
    ALTER TABLE ticket_transfers DISABLE ROW LEVEL SECURITY;
    DROP INDEX IF EXISTS idx_ticket_transfers_signature;
  `);
  await pool.query(`
    ALTER TABLE tickets
      DROP COLUMN IF EXISTS token_mint,
      DROP COLUMN IF EXISTS checked_in_by,
      DROP COLUMN IF EXISTS checked_in_at,
      DROP COLUMN IF EXISTS status_changed_at,
      DROP COLUMN IF EXISTS status_changed_by,
      DROP COLUMN IF EXISTS status_reason
  `);
}
