import { NextFunction, Request, Response } from 'express';
import { db } from '../config/database';

/** Storefronts under a venue's own domain: the host name leads to the venue, its branding and its tenant. */
export async function customDomain(req: Request, res: Response, next: NextFunction): Promise<void> {
  const storefront = await db('custom_domains as d')
    .join('venue_branding as b', 'b.venue_id', 'd.venue_id')
    .where({ 'd.domain': req.hostname, 'd.is_verified': true })
    .first('d.tenant_id', 'd.venue_id', 'b.primary_color', 'b.logo_url', 'b.custom_css');
  res.locals.storefront = storefront;
  next();
}
