import type { Knex } from 'knex';

const TENANT_MATCHES = `tenant_id = current_setting('app.current_tenant_id', true)::uuid`;

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('ticket_state_history', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('ticket_id').notNullable().references('id').inTable('tickets').onDelete('CASCADE');
    table.string('previous_status', 30);
    table.string('new_status', 30).notNullable();
    table.uuid('changed_by');
    table.string('actor_type', 20).notNullable().defaultTo('system');
    table.text('reason');
    table.string('source', 50);
    table.timestamp('changed_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.index(['ticket_id', 'changed_at']);
  });

  await knex.raw(`
    ALTER TABLE ticket_state_history ENABLE ROW LEVEL SECURITY;
    CREATE POLICY ticket_state_history_tenant_isolation ON ticket_state_history USING (${TENANT_MATCHES});
    CREATE POLICY ticket_state_history_select ON ticket_state_history FOR SELECT USING (${TENANT_MATCHES});
    -- Rows come from the trigger, whoever fires it.
    CREATE POLICY ticket_state_history_insert ON ticket_state_history FOR INSERT WITH CHECK (true);
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION log_ticket_status_change() RETURNS TRIGGER AS $$
    BEGIN
      IF NEW.status IS DISTINCT FROM OLD.status THEN
        INSERT INTO ticket_state_history (tenant_id, ticket_id, previous_status, new_status, changed_by, actor_type, reason, source)
        VALUES (
          NEW.tenant_id, NEW.id, OLD.status::text, NEW.status::text,
          NULLIF(current_setting('app.current_user_id', true), '')::uuid,
          COALESCE(NULLIF(current_setting('app.actor_type', true), ''), 'system'),
          NULLIF(current_setting('app.status_change_reason', true), ''),
          NULLIF(current_setting('app.status_change_source', true), '')
        );
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;

    CREATE TRIGGER trg_log_ticket_status_change AFTER UPDATE OF status ON tickets
      FOR EACH ROW EXECUTE FUNCTION log_ticket_status_change();
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION get_ticket_state_history(p_ticket_id UUID, p_limit INTEGER DEFAULT 50)
    RETURNS SETOF ticket_state_history AS $$
      SELECT * FROM ticket_state_history WHERE ticket_id = p_ticket_id ORDER BY changed_at DESC LIMIT p_limit
    $$ LANGUAGE sql STABLE;

    CREATE OR REPLACE FUNCTION log_ticket_status_change_manual(
      p_tenant_id UUID, p_ticket_id UUID, p_previous VARCHAR, p_new VARCHAR, p_reason TEXT
    ) RETURNS void AS $$
      INSERT INTO ticket_state_history (tenant_id, ticket_id, previous_status, new_status, actor_type, reason)
      VALUES (p_tenant_id, p_ticket_id, p_previous, p_new, 'admin', p_reason)
    $$ LANGUAGE sql;
  `);

  await knex.raw(`
    CREATE OR REPLACE VIEW v_recent_ticket_transitions AS
    SELECT h.ticket_id, t.ticket_number, h.previous_status, h.new_status, h.reason, h.changed_at
      FROM ticket_state_history h JOIN tickets t ON t.id = h.ticket_id
     WHERE h.changed_at > NOW() - INTERVAL '24 hours'
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DROP VIEW IF EXISTS v_recent_ticket_transitions;
    DROP FUNCTION IF EXISTS log_ticket_status_change_manual(UUID, UUID, VARCHAR, VARCHAR, TEXT);
    DROP FUNCTION IF EXISTS get_ticket_state_history(UUID, INTEGER);
    DROP TRIGGER IF EXISTS trg_log_ticket_status_change ON tickets;
    DROP FUNCTION IF EXISTS log_ticket_status_change();
  `);
  await knex.schema.dropTableIfExists('ticket_state_history');
}
