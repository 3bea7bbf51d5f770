/** The tenant of everything that was there before the platform had tenants. */
export const DEFAULT_TENANT = '00000000-0000-0000-0000-000000000001';

export const TENANT_SETTING = 'app.current_tenant_id';

/** Tables whose rows belong to one tenant. */
export const TENANT_TABLES = ['events', 'event_schedules', 'event_capacity', 'event_pricing', 'event_metadata'];
