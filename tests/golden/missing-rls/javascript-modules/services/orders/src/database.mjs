export const withTenant = (knex, tenant, work) =>
  knex.transaction(async (trx) => {
    await trx.raw("SELECT set_config('app.current_tenant_id', ?, true)", [tenant]);
    return work(trx);
  });
