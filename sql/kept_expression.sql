-- An expression that PostgreSQL evaluates without the executor has nobody who asks a plan's assumptions again: no answer may
-- be folded into it. Each way gives each user the user's own answer, whoever asked in the session before (S148; R46, R50).
BEGIN;
CREATE ROLE staff_role;
CREATE ROLE outsider_role;
CREATE ROLE nobody_role;
INSERT INTO entitle.app_user (user_id, login, db_role) VALUES (1, 'staff', 'staff_role'), (2, 'outsider', 'outsider_role');
INSERT INTO entitle.membership (user_id, brand_id, role_id) SELECT 1, 1, role_id FROM entitle.role WHERE name = 'read-only';
INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (6, 'x', 'x', 'x');
INSERT INTO entitle.external_access (customer_id, user_id) VALUES (6, 2);

CREATE FUNCTION by_return(c bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS
    $$ BEGIN RETURN entitle.row_allowed('customers.view', 20, c); END $$;
CREATE FUNCTION by_brand(c bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS
    $$ BEGIN RETURN entitle.brand_row_allowed('customers.view', 1::bigint, 20, c); END $$;
CREATE FUNCTION by_date(c bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS
    $$ BEGIN RETURN entitle.row_allowed('customers.view', 20, c, current_date); END $$;
CREATE FUNCTION by_if(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN IF entitle.row_allowed('customers.view', 20, c) THEN RETURN true; END IF; RETURN false; END $$;
CREATE FUNCTION by_assignment(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ DECLARE a boolean[]; BEGIN a[1] := entitle.row_allowed('customers.view', 20, c); RETURN a[1]; END $$;
CREATE FUNCTION by_declaration(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ DECLARE a boolean := entitle.row_allowed('customers.view', 20, c); BEGIN RETURN a; END $$;
CREATE FUNCTION by_case(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN CASE WHEN entitle.row_allowed('customers.view', 20, c) THEN RETURN true; ELSE RETURN false; END CASE; END $$;
CREATE FUNCTION by_while(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN WHILE entitle.row_allowed('customers.view', 20, c) LOOP RETURN true; END LOOP; RETURN false; END $$;
CREATE FUNCTION by_bound(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN FOR i IN 1..entitle.row_allowed('customers.view', 20, c)::integer LOOP RETURN true; END LOOP; RETURN false; END $$;
CREATE FUNCTION by_sql(c bigint) RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT entitle.row_allowed('customers.view', 20, c) $$;
CREATE FUNCTION by_atomic(c bigint) RETURNS boolean LANGUAGE sql STABLE
    RETURN entitle.row_allowed('customers.view', 20, c);
CREATE FUNCTION by_statements(c bigint) RETURNS boolean LANGUAGE sql VOLATILE AS
    $$ SELECT 1; SELECT entitle.row_allowed('customers.view', 20, c) $$;
CREATE FUNCTION by_inlined(c bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN by_sql(c); END $$;
CREATE FUNCTION by_inlined_atomic(c bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN by_atomic(c); END $$;
CREATE FUNCTION by_using(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ DECLARE a boolean; BEGIN EXECUTE 'SELECT $1' INTO a USING entitle.row_allowed('customers.view', 20, c); RETURN a; END $$;
CREATE FUNCTION by_cursor(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ DECLARE k CURSOR (v boolean) FOR SELECT v; a boolean; BEGIN
       OPEN k (entitle.row_allowed('customers.view', 20, c)); FETCH k INTO a; CLOSE k; RETURN a; END $$;
CREATE FUNCTION by_next(c bigint) RETURNS SETOF boolean LANGUAGE plpgsql AS
    $$ BEGIN RETURN NEXT entitle.row_allowed('customers.view', 20, c); END $$;
CREATE FUNCTION by_message(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '%', entitle.row_allowed('customers.view', 20, c); EXCEPTION WHEN raise_exception THEN
       RETURN SQLERRM::boolean; END $$;
CREATE PROCEDURE proc(v boolean, INOUT a boolean) LANGUAGE plpgsql AS $$ BEGIN a := v; END $$;
CREATE FUNCTION by_call(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ DECLARE a boolean; BEGIN CALL proc(entitle.row_allowed('customers.view', 20, c), a); RETURN a; END $$;
CREATE FUNCTION by_query(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RETURN (SELECT entitle.row_allowed('customers.view', 20, c)); END $$;

CREATE DOMAIN seen_customer AS bigint CHECK (VALUE IS NULL OR entitle.row_allowed('customers.view', 20, VALUE));
CREATE FUNCTION by_domain(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ DECLARE s seen_customer; BEGIN s := c; RETURN true; EXCEPTION WHEN check_violation THEN RETURN false; END $$;
CREATE FUNCTION by_domain_cast(c bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RETURN c::seen_customer IS NOT NULL; EXCEPTION WHEN check_violation THEN RETURN false; END $$;

CREATE TABLE checked (c bigint CHECK (entitle.row_allowed('customers.view', 20, c)));
CREATE FUNCTION by_check(v bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO checked VALUES (v); RETURN true; EXCEPTION WHEN check_violation THEN RETURN false; END $$;
CREATE TABLE defaulted (c bigint, a boolean DEFAULT entitle.row_allowed('customers.view', 20, 7::bigint),
                        b boolean DEFAULT entitle.row_allowed('customers.view', 20, 6::bigint));
CREATE FUNCTION by_default(v bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ DECLARE r defaulted; BEGIN INSERT INTO defaulted (c) VALUES (v) RETURNING * INTO r;
       RETURN CASE v WHEN 7 THEN r.a ELSE r.b END; END $$;
CREATE FUNCTION by_values(v bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ DECLARE r defaulted; BEGIN INSERT INTO defaulted VALUES (v, entitle.row_allowed('customers.view', 20, v)) RETURNING * INTO r;
       RETURN r.a; END $$;
CREATE TABLE triggered (c bigint, a boolean DEFAULT false);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.a := true; RETURN NEW; END $$;
CREATE TRIGGER note BEFORE INSERT ON triggered FOR EACH ROW
    WHEN (entitle.row_allowed('customers.view', 20, NEW.c)) EXECUTE FUNCTION note();
CREATE FUNCTION by_trigger(v bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ DECLARE r triggered; BEGIN INSERT INTO triggered VALUES (v) RETURNING * INTO r; RETURN r.a; END $$;
CREATE TABLE policed (c bigint);
INSERT INTO policed VALUES (6), (7);
ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON policed USING (entitle.row_allowed('customers.view', 20, c));
CREATE FUNCTION by_policy(v bigint) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RETURN EXISTS (SELECT FROM policed WHERE c = v); END $$;
GRANT SELECT, INSERT ON checked, defaulted, triggered, policed TO PUBLIC;

CREATE TABLE way (number integer GENERATED ALWAYS AS IDENTITY, name text);
INSERT INTO way (name) SELECT p.proname FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'by\_%' ORDER BY p.proname COLLATE "C";
GRANT SELECT ON way TO PUBLIC;
-- The ways that tell something else than the row test itself, of a stranger's customer and of one's own.
CREATE FUNCTION wrong_ways() RETURNS TABLE (way text, customer bigint, answer boolean, right_answer boolean) LANGUAGE plpgsql AS $$
BEGIN
    FOR way IN SELECT w.name FROM way w ORDER BY w.number LOOP
        FOREACH customer IN ARRAY '{6,7}'::bigint[] LOOP
            EXECUTE format('SELECT %I($1)', way) INTO answer USING customer;
            EXECUTE 'SELECT entitle.row_allowed(''customers.view'', 20, $1)' INTO right_answer USING customer;
            IF answer IS DISTINCT FROM right_answer THEN
                RETURN NEXT;
            END IF;
        END LOOP;
    END LOOP;
END
$$;
SELECT count(*) > 25 AS are_many FROM way;

SET ROLE staff_role;
SELECT entitle.row_allowed('customers.view', 20, c) FROM unnest('{6,7}'::bigint[]) AS c;
SELECT * FROM wrong_ways();
SET ROLE outsider_role;
SELECT entitle.row_allowed('customers.view', 20, c) FROM unnest('{6,7}'::bigint[]) AS c;
SELECT * FROM wrong_ways();
SET ROLE nobody_role;
SELECT entitle.row_allowed('customers.view', 20, c) FROM unnest('{6,7}'::bigint[]) AS c;
SELECT * FROM wrong_ways();
SET ROLE outsider_role;
SELECT * FROM wrong_ways();
SET ROLE staff_role;
SELECT * FROM wrong_ways();

-- The same by signing in, where no plan is dropped for the row test's sake, and after a revoke in the same block.
RESET ROLE;
CREATE FUNCTION end_grant() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
    'DELETE FROM entitle.external_access WHERE user_id = 2';
GRANT EXECUTE ON FUNCTION entitle.sign_in TO nobody_role;
SET ROLE nobody_role;
SELECT entitle.sign_in('staff', true);
SELECT * FROM wrong_ways();
SELECT entitle.sign_in('outsider', true);
SELECT * FROM wrong_ways();
DO $$
DECLARE
    before boolean := by_return(6);
BEGIN
    PERFORM end_grant();
    RAISE NOTICE 'before % after %', before, by_return(6);
END
$$;
SELECT * FROM wrong_ways();
ROLLBACK;
