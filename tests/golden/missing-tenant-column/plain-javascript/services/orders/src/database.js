exports.withTenant = async (trx, tenant) => trx.raw("SELECT set_config('app.current_tenant_id', ?, true)", [tenant]);
