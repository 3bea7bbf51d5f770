CREATE SCHEMA app;
CREATE ROLE app_user LOGIN;
CREATE ROLE auditor BYPASSRLS;
CREATE TYPE order_status AS ENUM ('open', 'paid', 'it''s done');
CREATE TYPE app.level AS ENUM ('low', 'high');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE tenants (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(100) NOT NULL UNIQUE);
CREATE TABLE users (
    id serial PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
    email text,
    age integer CHECK (age >= 0),
    balance numeric(10,2) DEFAULT 0,
    tags text[],
    created_at timestamptz DEFAULT now()
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id integer REFERENCES users(id) ON UPDATE CASCADE ON DELETE SET NULL,
    tenant_id uuid,
    status order_status NOT NULL DEFAULT 'open',
    total numeric,
    twice numeric GENERATED ALWAYS AS (total * 2) STORED,
    PRIMARY KEY (id, status),
    CONSTRAINT orders_total_check CHECK (total > 0)
);
CREATE TABLE order_items (order_id bigint, order_status order_status, sku char(8), day date,
    FOREIGN KEY (order_id, order_status) REFERENCES orders(id, status),
    UNIQUE (order_id, sku));
CREATE TABLE order_notes (order_id bigint, order_status order_status,
    FOREIGN KEY (order_id, order_status) REFERENCES orders(id, status) ON DELETE SET NULL (order_id));
CREATE TABLE "UserFarm" ("userId" varchar(40) PRIMARY KEY, "farm id" int);
CREATE TABLE app.events (id int PRIMARY KEY, tenant_id uuid, level app.level, payload jsonb DEFAULT '{}');
CREATE TABLE app.users (id int);
CREATE TABLE measurements (day date NOT NULL, value int) PARTITION BY RANGE (day);
CREATE TABLE measurements_2024 PARTITION OF measurements FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX users_email_idx ON users (email);
CREATE UNIQUE INDEX users_lower_email_idx ON users (lower(email)) WHERE age > 18;
CREATE INDEX events_tenant_idx ON app.events (tenant_id);
CREATE VIEW active_users AS SELECT id, email FROM users WHERE age > 18;
CREATE VIEW safe_orders WITH (security_invoker = true) AS SELECT id FROM orders;
CREATE MATERIALIZED VIEW order_totals AS SELECT tenant_id, sum(total) AS total FROM orders GROUP BY tenant_id;
CREATE SEQUENCE invoice_numbers;
CREATE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION app.current_tenant() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = app
    AS $$ SELECT nullif(current_setting('app.tenant', true), '')::uuid $$;
CREATE FUNCTION add_numbers(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b';
CREATE PROCEDURE do_nothing() LANGUAGE sql AS 'SELECT 1';
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER orders_touch AFTER INSERT OR DELETE ON orders FOR EACH STATEMENT EXECUTE FUNCTION update_updated_at_column();
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON users USING (tenant_id = current_setting('app.current_tenant')::uuid);
CREATE POLICY orders_read ON orders FOR SELECT TO app_user USING (true);
CREATE POLICY orders_write ON orders AS RESTRICTIVE FOR INSERT TO app_user, auditor WITH CHECK (total > 0);
CREATE EXTENSION IF NOT EXISTS pg_trgm;
COMMENT ON TABLE users IS 'people';
