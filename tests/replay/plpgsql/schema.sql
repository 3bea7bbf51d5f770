CREATE SCHEMA app;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE tenants (id uuid PRIMARY KEY, name text);
CREATE TABLE users (id serial PRIMARY KEY, tenant_id uuid, email varchar(50));
CREATE TABLE orders (id int PRIMARY KEY, tenant_id uuid, user_id int REFERENCES users, status text, total numeric);
CREATE TABLE notes (id int PRIMARY KEY, body text);
CREATE TABLE "Odd Table" ("Id" int, tenant_id uuid);
CREATE TABLE app.events (id int, tenant_id uuid);
CREATE POLICY old_policy ON users USING (true);
CREATE POLICY other ON orders FOR SELECT USING (tenant_id IS NOT NULL);
CREATE INDEX orders_status_idx ON orders (status);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION enable_rls(t text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = current_setting(''app.tenant'')::uuid)', t);
END $$;
CREATE FUNCTION add_column(t regclass, c text, kind text DEFAULT 'text', required boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE suffix text := CASE WHEN required THEN ' NOT NULL' ELSE '' END;
BEGIN
    IF EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = t AND attname = c) THEN RETURN false; END IF;
    EXECUTE 'ALTER TABLE ' || t || ' ADD COLUMN ' || quote_ident(c) || ' ' || kind || suffix;
    RETURN true;
END $$;
CREATE FUNCTION protect(VARIADIC names text[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE n text; done int := 0;
BEGIN
    FOREACH n IN ARRAY names LOOP PERFORM enable_rls(n); done := done + 1; END LOOP;
    RETURN done;
END $$;
CREATE FUNCTION drop_notes() RETURNS void LANGUAGE sql AS $$ DROP TABLE notes $$;
