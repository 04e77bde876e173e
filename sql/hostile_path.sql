-- A search_path full of look-alikes changes no decision, and none of them is ever called (S70).
CREATE ROLE app_role;
GRANT EXECUTE ON FUNCTION entitle.sign_in TO app_role;
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO app_role;
INSERT INTO entitle.customer (customer_id, customer_code, legal_name, trade_name, tax_id, status)
VALUES (1, 'one', 'One', 'One', '1', 'ACTV'), (2, 'two', 'Two', 'Two', '2', 'PAIN');
INSERT INTO entitle.app_user (user_id, login) VALUES (1, 'ann'), (2, 'staff');
INSERT INTO entitle.external_access (customer_id, user_id) VALUES (1, 1);
INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT 2, 1, role_id FROM entitle.role WHERE name = 'sales manager';
INSERT INTO entitle.client_metric (metric_id, name) VALUES (1, 'payments');
INSERT INTO entitle.customer_metric VALUES (1, 1, 80), (2, 1, 40);
GRANT SELECT ON ALL TABLES IN SCHEMA entitle TO app_role;
CREATE TABLE public.orders (order_id integer, customer_id bigint, customer_code text, ordered_on date);
INSERT INTO public.orders VALUES (1, 1, 'one', CURRENT_DATE), (2, 2, 'two', CURRENT_DATE), (3, 1, 'one', CURRENT_DATE - 31);
GRANT SELECT ON public.orders TO app_role;

-- Operators, functions, types and tables that would answer everything with yes, and say so.
CREATE FUNCTION evil.yes(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'evil was called'; RETURN true; END $$;
DO $$
DECLARE
    t text;
    o text;
    f record;
BEGIN
    FOREACH t IN ARRAY '{bigint,integer,text,name,oid,boolean,date,uuid,regclass,jsonb,"char",timestamptz,numeric,smallint}'::text[] LOOP
        EXECUTE format($q$CREATE FUNCTION evil.yes(%1$s, %1$s) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''evil was called''; RETURN true; END'$q$, t);
        FOREACH o IN ARRAY '{=,<>,<,>,<=,>=,~,@>}'::text[] LOOP
            EXECUTE format('CREATE OPERATOR evil.%1$s (LEFTARG = %2$s, RIGHTARG = %2$s, FUNCTION = evil.yes)', o, t);
        END LOOP;
    END LOOP;
    EXECUTE $q$CREATE FUNCTION evil.yes(bigint, bigint[]) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''evil was called''; RETURN true; END'$q$;
    EXECUTE 'CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint[], FUNCTION = evil.yes)';
    -- Every function of the extension, and those of PostgreSQL that its SQL calls, under the same name and arguments.
    FOR f IN
        SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, format_type(p.prorettype, NULL) AS result,
               p.prorettype <> 'void'::regtype AND p.proargmodes IS NULL AS gives_value
        FROM pg_proc p
        WHERE p.prokind = 'f' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype) AND NOT p.proretset
          AND (p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace) AND pg_get_function_identity_arguments(p.oid) !~ 'any|internal|cstring|pg_ddl_command' AND p.prorettype <> 'cstring'::regtype
               OR p.pronamespace = 'pg_catalog'::regnamespace
                  AND p.proname IN ('round', 'now', 'btrim', 'format', 'quote_ident', 'quote_literal', 'cardinality', 'clock_timestamp', 'current_setting',
                                    'pg_has_role', 'has_function_privilege', 'floor', 'row_security_active', 'to_jsonb', 'session_user')
                  AND pg_get_function_identity_arguments(p.oid) !~ 'any|cstring|internal|VARIADIC')
    LOOP
        EXECUTE format($q$CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''evil was called''; RETURN%s; END'$q$,
                       f.proname, f.arguments, f.result, CASE WHEN f.gives_value THEN ' NULL' END);
    END LOOP;
    FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'entitle'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('CREATE TABLE evil.%1$I AS TABLE entitle.%1$I', t);
    END LOOP;
END
$$;
INSERT INTO evil.external_access (customer_id, user_id, role) SELECT n, u, 'L90' FROM generate_series(1, 2) n, generate_series(1, 2) u;
UPDATE evil.membership SET is_owner = true;
GRANT SELECT ON ALL TABLES IN SCHEMA evil TO app_role;

-- Administration under such a path.
SET search_path = evil, pg_catalog, public;
SELECT entitle.protect_table('public.orders', customer_column => 'customer_id', date_column => 'ordered_on', min_level => 20, view_permission => 'customers.view');
SELECT entitle.protect_table('public.orders', customer_column => 'customer_code', date_column => 'ordered_on', min_level => 20, view_permission => 'customers.view');
SELECT entitle.recalculated_ok FROM (SELECT recalculated OPERATOR(pg_catalog.=) 2 AS recalculated_ok FROM entitle.recalc_scores()) entitle;
RESET search_path;
SELECT customer_id, client_score FROM entitle.customer ORDER BY customer_id;

-- Questions, in the answers' plain form, under each path.
CREATE FUNCTION public.answers() RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN pg_catalog.concat_ws(' ', entitle.current_login(), entitle.access_level(1::pg_catalog.int8), entitle.access_level(2::pg_catalog.int8),
        entitle.access_level('one'::pg_catalog.text), entitle.has_permission('customers.view'), entitle.has_capability('reports'),
        entitle.accessible_customers()::pg_catalog.text, entitle.permitted_brands('customers.view')::pg_catalog.text, entitle.can_score(1::pg_catalog.int8),
        entitle.days_back_filter(1::pg_catalog.int8, CURRENT_DATE OPERATOR(pg_catalog.-) 31),
        'orders', (SELECT pg_catalog.string_agg(order_id::pg_catalog.text, ',') FROM public.orders),
        'profiles', (SELECT pg_catalog.count(*) FROM entitle.customer_profile), 'grants', (SELECT pg_catalog.count(*) FROM entitle.external_access),
        'members', (SELECT pg_catalog.count(*) FROM entitle.membership), 'users', (SELECT pg_catalog.count(*) FROM entitle.app_user));
END
$$;
SET ROLE app_role;
BEGIN;
SELECT entitle.sign_in('ann') \g /dev/null
SELECT answers();
SET LOCAL search_path = evil, pg_catalog, public;
SELECT public.answers();
CREATE TEMP TABLE external_access AS TABLE evil.external_access;
CREATE TEMP TABLE membership AS TABLE evil.membership;
CREATE TEMP TABLE customer AS TABLE evil.customer;
SET LOCAL search_path = pg_temp, evil, pg_catalog, public;
SELECT public.answers();
SET LOCAL search_path = '';
SELECT public.answers();
ROLLBACK;
BEGIN;
SELECT entitle.sign_in('staff') \g /dev/null
SELECT answers();
SET LOCAL search_path = evil, pg_catalog, public;
SELECT public.answers();
SET LOCAL search_path = pg_temp, evil;
SELECT public.answers();
ROLLBACK;
RESET ROLE;

-- In a fresh session, too, whose first load happens under such a path.
\c
SET search_path = evil, pg_catalog, public;
SET ROLE app_role;
BEGIN;
SELECT entitle.sign_in('ann') \g /dev/null
SELECT public.answers();
ROLLBACK;
RESET ROLE;
SELECT entitle.unprotect_table('public.orders');
RESET search_path;

SET client_min_messages = warning;
DROP SCHEMA evil CASCADE;
RESET client_min_messages;
DROP FUNCTION answers;
DROP TABLE orders;
DELETE FROM entitle.external_access;
DELETE FROM entitle.membership;
DELETE FROM entitle.app_user;
DELETE FROM entitle.customer_metric;
DELETE FROM entitle.client_metric;
DELETE FROM entitle.customer;
DROP OWNED BY app_role;
DROP ROLE app_role;
