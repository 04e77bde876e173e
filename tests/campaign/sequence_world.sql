-- What all sequences have in common: two organizations, a brand that stands alone, a pool's role that signs everybody in, and a role
-- of his own for each user who was there from the beginning.
CREATE EXTENSION entitle;
INSERT INTO entitle.organization (organization_id, name) VALUES (101, 'first'), (102, 'second');
INSERT INTO entitle.plan (plan_key) VALUES ('sequence');
INSERT INTO entitle.brand (brand_id, organization_id, name, plan_key) VALUES
    (201, 101, 'a', NULL), (202, 101, 'b', 'sequence'), (203, 102, 'c', NULL), (204, NULL, 'd', NULL);
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT b, m FROM generate_series(201, 204) AS b, unnest('{customers,reports}'::text[]) AS m;
INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id) SELECT i, i - 300, 'n', 'n', 't' FROM generate_series(501, 504) AS i;
-- The rows that steps make have numbers that no step names by chance.
SELECT setval(pg_get_serial_sequence('entitle.' || t, c), 100000)
FROM (VALUES ('app_user', 'user_id'), ('role', 'role_id'), ('membership', 'membership_id'), ('pending_invitation', 'invitation_id')) AS s (t, c);
DO $$
DECLARE
    role_name text;
BEGIN
    FOR role_name IN SELECT 'seq_pool' UNION ALL SELECT 'seq_user_' || i FROM generate_series(401, 410) AS i LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I', role_name);
        END IF;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA entitle TO %I', role_name);
        EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA entitle TO %I', role_name);
    END LOOP;
END
$$;
INSERT INTO entitle.sign_in_grant (db_role) VALUES ('seq_pool');
