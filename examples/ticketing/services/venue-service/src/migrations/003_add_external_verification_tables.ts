import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('external_verifications', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.string('verification_type', 50).notNullable();
    table.string('provider', 50).notNullable();
    table.string('external_id', 255);
    table.string('status', 30).notNullable().defaultTo('pending');
    table.jsonb('result');
    table.timestamps(true, true);
  });

  await knex.schema.createTable('manual_review_queue', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.uuid('verification_id').references('id').inTable('external_verifications').onDelete('SET NULL');
    table.string('reason', 255).notNullable();
    table.string('priority', 10).notNullable().defaultTo('medium');
    table.string('status', 20).notNullable().defaultTo('pending');
    table.uuid('assigned_to').references('id').inTable('users').onDelete('SET NULL');
    table.timestamps(true, true);
  });

  await knex.schema.createTable('notifications', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.string('type', 50).notNullable();
    table.string('title', 255).notNullable();
    table.text('message');
    table.boolean('read').notNullable().defaultTo(false);
    table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.index(['user_id', 'read']);
  });

  await knex.schema.createTable('email_queue', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.string('to_email', 255).notNullable();
    table.string('subject', 255).notNullable();
    table.string('template', 100).notNullable();
    table.jsonb('data');
    table.string('status', 20).notNullable().defaultTo('pending').index();
    table.integer('attempts').notNullable().defaultTo(0);
    table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('venue_compliance_reviews', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.timestamp('scheduled_date', { useTz: true }).notNullable();
    table.string('status', 20).notNullable().defaultTo('scheduled');
    table.uuid('reviewer_id').references('id').inTable('users').onDelete('SET NULL');
    table.jsonb('findings');
    table.timestamps(true, true);
  });

  if (!(await knex.schema.hasTable('venue_compliance'))) {
    await knex.schema.createTable('venue_compliance', (table) => {
      table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
      table.uuid('venue_id').notNullable().unique().references('id').inTable('venues').onDelete('CASCADE');
      table.jsonb('settings').notNullable().defaultTo('{}');
      table.timestamps(true, true);
    });
  }

  if (!(await knex.schema.hasTable('venue_compliance_reports'))) {
    await knex.schema.createTable('venue_compliance_reports', (table) => {
      table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
      table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
      table.jsonb('report').notNullable();
      table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    });
  }

  if (!(await knex.schema.hasTable('venue_documents'))) {
    await knex.schema.createTable('venue_documents', (table) => {
      table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
      table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
      table.string('document_type', 50).notNullable();
      table.string('file_url', 500).notNullable();
      table.string('status', 20).notNullable().defaultTo('submitted');
      table.uuid('reviewed_by').references('id').inTable('users').onDelete('SET NULL');
      table.timestamps(true, true);
    });
  }

  // Left over from the split of the baseline; the table is always there by now.
  if (!(await knex.schema.hasTable('venue_staff'))) {
    await knex.schema.createTable('venue_staff', (table) => {
      table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
      table.uuid('venue_id').notNullable();
      table.uuid('user_id').notNullable();
      table.string('role', 50).notNullable();
      table.timestamps(true, true);
    });
  }
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema
    .dropTableIfExists('venue_documents')
    .dropTableIfExists('venue_compliance_reports')
    .dropTableIfExists('venue_compliance')
    .dropTableIfExists('venue_compliance_reviews')
    .dropTableIfExists('email_queue')
    .dropTableIfExists('notifications')
    .dropTableIfExists('manual_review_queue')
    .dropTableIfExists('external_verifications');
}
