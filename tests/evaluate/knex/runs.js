// Migrations in small: what is sent in which order, and what await gives. A statement with fail in it is refused.
async knex => { await knex.schema.createTable('a', t => { t.increments(); t.index('x') }); await knex.raw('select 1') }
async knex => { knex.schema.dropTable('never'); await knex.schema.dropTable('a') }
async knex => knex.raw('select ?', [1])
async knex => { return knex('t').select('a') }
async knex => { return knex('t').first() }
async knex => { return knex('t').pluck('a') }
async knex => { return knex('t').pluck('t.b') }
async knex => { return knex('t').where('a', 1).update({ b: 2 }) }
async knex => { return knex('t').del() }
async knex => { return knex('t').insert({ a: 1 }).returning('*') }
async knex => { return knex('t').update({ a: 1 }, ['a']) }
async knex => { return (await knex.raw('select 1')).rows }
async knex => { return knex('t').columnInfo() }
async knex => { return knex.schema.raw('select 1').raw('select 2') }
async knex => { return knex.schema.alterTable('t', t => {}) }
async knex => { await knex.raw('fail') }
async knex => { await knex.schema.raw('select 1').raw('fail now').raw('select 2') }
async knex => { await knex('t').insert([]) }
async knex => { await knex.raw('') }
async knex => { await knex('t').where({ a: undefined }) }
async knex => { const q = knex('t').where('a', 1); await q; await q }
async knex => { const q = knex.schema.createTable('t', t => { t.increments() }); await q; await q }
// transactions
async knex => knex.transaction(async trx => { await trx.raw('select 1'); await trx('t').insert({ a: 1 }) })
async knex => knex.transaction(async trx => { return 5 })
async knex => knex.transaction(async trx => { await trx.raw('fail') })
async knex => knex.transaction(trx => trx.raw('select 1'))
async knex => knex.transaction(trx => trx.raw('fail 1'))
async knex => { await knex.transaction(async trx => { await knex('t').insert({ a: 1 }).transacting(trx) }) }
async knex => { await knex.transaction(async trx => { await trx.schema.dropTable('a') }, { isolationLevel: 'serializable' }) }
async knex => { await knex.transaction(async trx => { await trx.raw('select 1') }, { readOnly: true }) }
async knex => { const trx = await knex.transaction(); await trx.raw('select 1'); await trx.commit() }
async knex => { const trx = await knex.transaction(); await trx.raw('select 1'); await trx.rollback() }
async knex => { const trx = await knex.transaction(); await trx('t').del(); return trx.isCompleted() }
async knex => { const trx = await knex.transaction(); await trx.commit(); return trx.isCompleted() }
async knex => knex.transaction(async trx => { await trx.transaction(async inner => { await inner.raw('select 1') }) })
async knex => knex.transaction(async trx => { await trx.transaction(async inner => { await inner.raw('fail') }) })
async knex => knex.transaction(async trx => { await trx.savepoint(async inner => { await inner('t').del() }); await trx('u').del() })
async knex => { const p = knex.transactionProvider(); const trx = await p(); await trx.raw('select 1'); await trx.commit() }
async knex => { return knex.transaction(async trx => { return trx.isTransaction }) }
async knex => { return knex.isTransaction }
// batches
async knex => { await knex.batchInsert('t', [{ a: 1 }, { a: 2 }, { a: 3 }], 2) }
async knex => { await knex.batchInsert('t', [{ a: 1 }]) }
async knex => { await knex.batchInsert('t', [{ a: 1 }], 5).returning('a') }
async knex => { await knex.transaction(async trx => { await knex.batchInsert('t', [{ a: 1 }], 5).transacting(trx) }) }
async knex => { await knex.batchInsert('t', []) }
