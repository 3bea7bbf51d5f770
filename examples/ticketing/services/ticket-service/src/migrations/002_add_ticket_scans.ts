import { Pool } from 'pg';

export async function up(pool: Pool): Promise<void> {
  await pool.query(`
    CREATE TABLE IF NOT EXISTS ticket_scans (
      id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
      tenant_id UUID NOT NULL REFERENCES tenants(id) ON DELETE RESTRICT,
      ticket_id UUID NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
      event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
      scanned_by UUID REFERENCES users(id) ON DELETE SET NULL,
      device_id VARCHAR(255),
      gate VARCHAR(100),
      scan_result VARCHAR(20) NOT NULL DEFAULT 'valid',
      scanned_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
      CONSTRAINT ticket_scans_result_check CHECK (scan_result IN ('valid', 'duplicate', 'rejected', 'expired'))
    )
  `);

  await pool.query(`
    CREATE INDEX IF NOT EXISTS idx_ticket_scans_duplicate_detection ON ticket_scans (ticket_id, scanned_at DESC);
    CREATE INDEX IF NOT EXISTS idx_ticket_scans_event ON ticket_scans (tenant_id, event_id);
  `);

  await pool.query('ALTER TABLE ticket_scans ENABLE ROW LEVEL SECURITY');
  await pool.query(`
    CREATE POLICY ticket_scans_tenant_isolation ON ticket_scans
      USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
      WITH CHECK (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
  `);

  await pool.query(`
    CREATE OR REPLACE FUNCTION check_duplicate_scan(p_ticket_id UUID, p_time_window_seconds INTEGER DEFAULT 30)
    RETURNS TABLE (is_duplicate BOOLEAN, last_scan_at TIMESTAMPTZ, scan_count BIGINT) AS $$
    BEGIN
      RETURN QUERY
      SELECT COUNT(*) > 0, MAX(s.scanned_at), COUNT(*)
        FROM ticket_scans s
       WHERE s.ticket_id = p_ticket_id
         AND s.scanned_at > NOW() - make_interval(secs => p_time_window_seconds);
    END;
    $$ LANGUAGE plpgsql STABLE
  `);

  await pool.query(`
    CREATE OR REPLACE FUNCTION record_scan_attempt(
      p_tenant_id UUID, p_ticket_id UUID, p_event_id UUID, p_scanned_by UUID, p_device_id VARCHAR, p_result VARCHAR
    ) RETURNS UUID AS $$
    DECLARE
      scan_id UUID;
    BEGIN
      INSERT INTO ticket_scans (tenant_id, ticket_id, event_id, scanned_by, device_id, scan_result)
      VALUES (p_tenant_id, p_ticket_id, p_event_id, p_scanned_by, p_device_id, p_result)
      RETURNING id INTO scan_id;
      UPDATE tickets SET scan_count = scan_count + 1 WHERE id = p_ticket_id;
      RETURN scan_id;
    END;
    $$ LANGUAGE plpgsql
  `);
}

export async function down(pool: Pool): Promise<void> {
  await pool.query('DROP FUNCTION IF EXISTS record_scan_attempt(UUID, UUID, UUID, UUID, VARCHAR, VARCHAR)');
  await pool.query('DROP FUNCTION IF EXISTS check_duplicate_scan(UUID, INTEGER)');
  await pool.query('DROP TABLE IF EXISTS ticket_scans');
}
