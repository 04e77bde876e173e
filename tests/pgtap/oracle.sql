-- S168: what refuses a write by a masked column and an open one together is named, by protect_table and by lint, where somebody
-- may write the open one and not see the masked one; nothing else is.
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'l20');
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (1, 'a', 'a', 'a');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (1, 1, 'L20', NULL);
CREATE TABLE limits (quantity integer, price integer, PRIMARY KEY (quantity, price));
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, quantity integer, price integer, cost integer, note text);
CREATE INDEX ON orders (customer_id);
INSERT INTO orders VALUES (1, 1, 1, 777, 5, 'n');
GRANT SELECT, UPDATE ON orders TO test_app;

-- What lint says of the table after a change of it, and after its remedy; everything is taken back.
CREATE FUNCTION lints(change text, update_level integer DEFAULT 20, insert_level integer DEFAULT NULL, masks jsonb DEFAULT '{"price": 40}') RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    found text;
    remedies text;
    left_over bigint;
BEGIN
    BEGIN
        SET LOCAL client_min_messages = error;
        EXECUTE change;
        PERFORM entitle.protect_table('orders', customer_column => 'customer_id', external_update_level => update_level,
                                      external_insert_level => insert_level, masked_columns => masks);
        SELECT string_agg(finding, '; ' ORDER BY finding), string_agg(DISTINCT remedy, E'\n') INTO found, remedies FROM entitle.lint() WHERE object ~ 'orders' AND severity = 'warning';
        IF remedies IS NOT NULL THEN
            EXECUTE remedies;
        END IF;
        SELECT count(*) INTO left_over FROM entitle.lint() WHERE object ~ 'orders' AND severity = 'warning';
        RAISE EXCEPTION 'taken back' USING ERRCODE = 'ZZ001';
    EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
        RETURN coalesce(found, 'nothing') || CASE WHEN left_over > 0 THEN ' | left' ELSE '' END;
    END;
END
$$;
SELECT is(lints(change), format('%s looks at masked price together with quantity: who writes the one learns the other', what), 'S168: ' || change)
FROM (VALUES ('ALTER TABLE orders ADD CONSTRAINT cheap CHECK (price * quantity < 100000)', 'constraint "cheap"'),
             ('ALTER TABLE orders ADD CONSTRAINT pair UNIQUE (quantity, price)', 'index "pair"'),
             ('CREATE UNIQUE INDEX pair ON orders (quantity) WHERE price > 7', 'index "pair"'),
             ('ALTER TABLE orders ADD CONSTRAINT apart EXCLUDE USING btree (quantity WITH =, price WITH =)', 'index "apart"'),
             ('CREATE POLICY cap ON orders AS RESTRICTIVE USING (true) WITH CHECK (price * quantity < 100000)', 'policy "cap"'),
             ('CREATE POLICY seen ON orders AS RESTRICTIVE FOR SELECT USING (price * quantity < 100000)', 'policy "seen"'),
             ('CREATE INDEX divided ON orders ((quantity / price))', 'index "divided"'),
             ('CREATE INDEX partly ON orders (note) WHERE quantity / price > 1', 'index "partly"'),
             ('INSERT INTO limits VALUES (1, 777); ALTER TABLE orders ADD CONSTRAINT limited FOREIGN KEY (quantity, price) REFERENCES limits', 'constraint "limited"')) AS v (change, what);
SELECT is(lints('ALTER TABLE orders ADD total integer GENERATED ALWAYS AS (quantity * price) STORED', masks => '{"price": 40, "total": 40}'),
          'generated column "total" looks at masked price together with quantity: who writes the one learns the other', 'S168: what a generated column cannot compute');
SELECT is(lints('CREATE FUNCTION by_row(o orders) RETURNS boolean IMMUTABLE LANGUAGE sql AS ''SELECT true''; ALTER TABLE orders ADD CONSTRAINT whole CHECK (by_row(orders))'),
          'constraint "whole" looks at masked price together with id, customer_id, quantity, cost, note: who writes the one learns the other', 'S168: a whole row holds every column');
SELECT is(lints('ALTER TABLE orders ADD CONSTRAINT cheap CHECK (price - 1000 < cost)', masks => '{"price": 40, "cost": 30}'),
          'constraint "cheap" looks at masked price together with cost: who writes the one learns the other', 'S168: two levels');
SELECT is(lints('ALTER TABLE orders ADD CONSTRAINT pair UNIQUE (quantity, price)', NULL, 20),
          'index "pair" looks at masked price together with quantity: who writes the one learns the other', 'S168: a unique key refuses what is inserted, too');
SELECT is(lints('DROP TABLE orders; CREATE TABLE orders (customer_id bigint, quantity integer, price integer) PARTITION BY ' || key || '; CREATE TABLE orders_1 PARTITION OF orders DEFAULT'),
          'partition key "orders" looks at masked price together with quantity: who writes the one learns the other', 'S168: ' || key)
FROM unnest('{RANGE ((quantity * price)),"RANGE (quantity, price)"}'::text[]) AS key;
-- Who writes by permission and views by external access.
INSERT INTO entitle.permission (permission_key, description) VALUES ('test.view', 'v'), ('test.update', 'u'), ('test.between', 'b');
CREATE FUNCTION staff_lints(requires text[], view_permission text DEFAULT 'test.view') RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    found text;
    left_over bigint;
BEGIN
    BEGIN
        SET LOCAL client_min_messages = error;
        ALTER TABLE orders ADD CONSTRAINT cheap CHECK (price * quantity < 100000);
        INSERT INTO entitle.permission_prerequisite (permission_key, requires_key) SELECT requires[i], requires[i + 1] FROM generate_series(1, cardinality(requires) - 1) AS i;
        PERFORM entitle.protect_table('orders', customer_column => 'customer_id', view_permission => view_permission,
                                      update_permission => 'test.update', masked_columns => '{"price": 40}');
        SELECT finding INTO found FROM entitle.lint() WHERE object ~ 'orders' AND finding ~ 'learns masked';
        EXECUTE (SELECT coalesce(max(remedy), 'SELECT') FROM entitle.lint() WHERE object ~ 'orders' AND finding ~ 'learns masked');
        SELECT count(*) INTO left_over FROM entitle.lint() WHERE object ~ 'orders' AND finding ~ 'learns masked';
        RAISE EXCEPTION 'taken back' USING ERRCODE = 'ZZ001';
    EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
        RETURN coalesce(found, 'nothing') || CASE WHEN left_over > 0 THEN ' | left' ELSE '' END;
    END;
END
$$;
SELECT is(staff_lints('{}'), 'who holds "test.update" without "test.view" writes rows by permission that show by external access, and learns masked columns by what is refused',
          'S168: a permission to write alone');
SELECT is(staff_lints('{test.update,test.view}'), 'nothing', 'not one that requires the permission to view');
SELECT is(staff_lints('{test.update,test.between,test.view}'), 'nothing', 'by way of others, too');
SELECT is(staff_lints('{}', 'test.update'), 'nothing', 'nor the same one');
-- What tells nothing
SELECT is(lints(change, update_level, insert_level, masks::jsonb), 'nothing', format('no finding: %s, from L%s', change, update_level))
FROM (VALUES ('ALTER TABLE orders ADD CHECK (price * quantity < 100000)', NULL, NULL, '{"price": 40}'), ('ALTER TABLE orders ADD CHECK (price * quantity < 100000)', 40, 20, '{"price": 40}'),
             ('ALTER TABLE orders ADD CHECK (price > 0), ADD CHECK (quantity > 0)', 20, 20, '{"price": 40}'), ('CREATE INDEX ON orders (quantity, price)', 20, 20, '{"price": 40}'),
             ('ALTER TABLE orders ADD CHECK (price - 1000 < cost)', 20, 20, '{"price": 40, "cost": 40}'), ('CREATE INDEX ON orders ((price / 2), quantity)', 20, 20, '{"price": 40}'),
             ('ALTER TABLE orders ADD CHECK (price - 1000 < cost)', 20, 20, '{}'),
             ('CREATE POLICY cheap ON orders AS RESTRICTIVE USING (price < 7)', 20, 20, '{"price": 40}'),
             ('CREATE POLICY few ON orders AS RESTRICTIVE USING (quantity < (SELECT max(price) FROM limits))', 20, 20, '{"price": 40}')) AS v (change, update_level, insert_level, masks);

SELECT * FROM finish();
ROLLBACK;
