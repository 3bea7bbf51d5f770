import { NextFunction, Request, Response } from 'express';
import { inTenant } from '../db/tenant';

/** Answers a repeated request with what the first one was answered. */
export async function idempotency(req: Request, res: Response, next: NextFunction): Promise<void> {
    const key = req.header('idempotency-key');
    const tenantId: string | undefined = res.locals.tenantId;
    if (!key || !tenantId) return next();

    const earlier = await inTenant(tenantId, (trx) =>
        trx('idempotency_keys').where({ tenant_id: tenantId, idempotency_key: key }).first()
    );
    if (earlier?.response_status) {
        res.status(earlier.response_status).json(earlier.response_body);
        return;
    }
    next();
}
