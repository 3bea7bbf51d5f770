import { db } from "../db/database";

/** Every five minutes: unpaid orders of all tenants that have run out of time. */
export async function expireOrders(): Promise<number> {
  return db("orders").where({ status: "PENDING" }).andWhere("expires_at", "<", db.fn.now()).update({ status: "EXPIRED" });
}

export async function resumeBulkOperations(run: (id: string) => Promise<void>): Promise<void> {
  const waiting = await db("bulk_operations").where({ status: "PENDING" }).orderBy("created_at").limit(10);
  for (const operation of waiting) {
    await run(operation.id);
  }
}
