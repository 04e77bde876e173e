-- What rows of an adopted table refer to: other adopted tables, by the keys that their columns hold (R64). Called by record_adoption,
-- which may see what else is declared.

-- What keys of adopted tables have in common that a column of the type, or of a list of it, may hold.
CREATE FUNCTION entitle_internal.key_family(relation regclass, column_name text) RETURNS regtype
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN e.type IN ('smallint', 'integer', 'bigint') THEN 'bigint'::regtype WHEN e.type = 'varchar'::regtype THEN 'text' ELSE e.type END
    FROM pg_attribute a
    CROSS JOIN LATERAL entitle_internal.base_type(a.atttypid) AS t (base)
    CROSS JOIN LATERAL (SELECT coalesce((SELECT entitle_internal.base_type(p.typelem) FROM pg_type p WHERE p.oid = t.base AND p.typcategory = 'A'), t.base)) AS e (type)
    WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
    $$;
COMMENT ON FUNCTION entitle_internal.key_family(regclass, text) IS 'The type of a key, the same for all integers and for text and varchar, and for lists of them';
REVOKE ALL ON FUNCTION entitle_internal.key_family(regclass, text) FROM PUBLIC;

-- By its foreign key, else the only one of that kind and type of key among those of the same owner, and of superusers: others would say
-- what a column means, or make it ambiguous (S435). Returns: NULL when there is none, where is_optional allows that.
CREATE FUNCTION entitle_internal.referenced_adoption(declared entitle.adoption, column_name name, kind text, is_optional boolean) RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    family CONSTANT regtype := entitle_internal.key_family(declared.source, column_name::text);
    found_ones bigint[];
    referenced entitle.adoption;
BEGIN
    found_ones := ARRAY(SELECT a.adoption_id
                        FROM pg_constraint c
                        JOIN entitle.adoption a ON a.source = c.confrelid AND a.kind = referenced_adoption.kind AND NOT a.is_forgotten
                        JOIN pg_attribute o ON o.attrelid = c.conrelid AND o.attnum = c.conkey[1]
                        JOIN pg_attribute k ON k.attrelid = c.confrelid AND k.attnum = c.confkey[1]
                        WHERE c.conrelid = declared.source AND c.contype = 'f' AND cardinality(c.conkey) = 1 AND o.attname = column_name
                          AND a.key_columns = ARRAY[k.attname::text]);
    IF found_ones = '{}' THEN
        IF NOT is_optional AND NOT EXISTS (SELECT FROM entitle.adoption a WHERE a.kind = referenced_adoption.kind AND NOT a.is_forgotten) THEN
            RAISE EXCEPTION 'no % are adopted that column "%" could name', kind, column_name
                USING ERRCODE = '22023', HINT = format('Adopt them first: entitle.adopt_%s.', kind);
        END IF;
        found_ones := ARRAY(SELECT a.adoption_id
                            FROM entitle.adoption a
                            JOIN pg_class c ON c.oid = a.source
                            JOIN pg_roles o ON o.oid = c.relowner
                            WHERE a.kind = referenced_adoption.kind AND NOT a.is_forgotten AND cardinality(a.key_columns) = 1
                              AND entitle_internal.key_family(a.source, a.key_columns[1]) = family
                              AND (o.rolsuper OR o.oid = (SELECT d.relowner FROM pg_class d WHERE d.oid = declared.source)));
        IF found_ones = '{}' THEN
            IF is_optional THEN
                RETURN NULL;
            END IF;
            IF EXISTS (SELECT
                       FROM entitle.adoption a
                       WHERE a.kind = referenced_adoption.kind AND NOT a.is_forgotten AND cardinality(a.key_columns) = 1
                         AND entitle_internal.key_family(a.source, a.key_columns[1]) = family) THEN
                RAISE EXCEPTION 'column "%" of table "%" has no foreign key to adopted %', column_name, declared.source, kind
                    USING ERRCODE = '22023', HINT = 'Without one, tables of the same owner and of superusers alone are meant.';
            END IF;
            RAISE EXCEPTION 'column "%" of table "%" has another type than the keys of adopted %', column_name, declared.source, kind
                USING ERRCODE = '42804', HINT = 'It must hold the key by which the table was adopted.';
        END IF;
    END IF;
    IF cardinality(found_ones) > 1 THEN
        RAISE EXCEPTION 'which adopted % column "%" names is not known', kind, column_name
            USING ERRCODE = '22023', HINT = 'Add a foreign key from the column to the key of the adopted table.';
    END IF;
    SELECT * INTO referenced FROM entitle.adoption a WHERE a.adoption_id = found_ones[1];
    -- What is given to users, in organizations or on customers is given by who owns these.
    IF entitle_internal.may_declare(referenced.source, (SELECT p.oid::regprocedure FROM pg_proc p
                                                        WHERE p.pronamespace = 'entitle'::regnamespace AND p.proname = 'adopt_' || declared.kind)) IS NOT TRUE THEN
        RAISE EXCEPTION 'permission denied to give to what column "%" names', column_name
            USING ERRCODE = '42501', HINT = 'It takes the owner of the adopted table that it refers to, too.';
    END IF;
    RETURN referenced.adoption_id;
END
$$;
COMMENT ON FUNCTION entitle_internal.referenced_adoption(entitle.adoption, name, text, boolean) IS 'The adopted table whose keys a column holds';
REVOKE ALL ON FUNCTION entitle_internal.referenced_adoption(entitle.adoption, name, text, boolean) FROM PUBLIC;

-- The options of an adoption with the adoptions that its rows refer to. What the caller says of these counts for nothing.
CREATE FUNCTION entitle_internal.resolved_options(declared entitle.adoption) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    resolved jsonb := coalesce(declared.options, '{}') - 'for_others';
    argument text;
    referenced_kind text;
    referenced bigint;
BEGIN
    FOR argument, referenced_kind IN
        VALUES ('organization_column', 'organizations'), ('brand_column', 'brands'), ('customer_column', 'customers'), ('user_column', 'users'), ('role_column', 'roles')
    LOOP
        referenced := NULL;
        IF resolved ->> argument IS NOT NULL THEN
            -- A customer's brand may be the number of one made here, and a member's role the name of one.
            referenced := entitle_internal.referenced_adoption(declared, (resolved ->> argument)::name, referenced_kind,
                                                              (declared.kind, referenced_kind) IN (('customers', 'brands'), ('memberships', 'roles')));
        END IF;
        resolved := resolved || jsonb_build_object(referenced_kind, referenced);
    END LOOP;
    IF declared.kind = 'customers' AND resolved ->> 'brands' IS NULL THEN
        PERFORM entitle_internal.check_protection_column(declared.source, 'brand_column', (resolved ->> 'brand_column')::name, '{smallint,integer,bigint}');
    END IF;
    IF declared.kind = 'customers' AND declared.facts[3] IS DISTINCT FROM 'NULL::text' AND resolved ->> 'brands' IS NULL AND NOT entitle.acting_superuser() THEN
        RAISE EXCEPTION 'permission denied to choose the brands of adopted customers'
            USING ERRCODE = '42501', HINT = 'Leave brand_column out, or let a superuser adopt the table.';
    ELSIF declared.kind IN ('brands', 'roles', 'memberships') AND resolved ->> 'organizations' IS NULL
          AND (declared.kind <> 'memberships' OR resolved ->> 'brands' IS NULL) AND NOT entitle.acting_superuser() THEN
        RAISE EXCEPTION 'permission denied to adopt % of organization 1', declared.kind
            USING ERRCODE = '42501', HINT = 'Name the column of an organization whose adopted table you own, or let a superuser adopt the table.';
    ELSIF declared.kind IN ('memberships', 'access') AND resolved ->> 'users' IS NULL OR declared.kind = 'access' AND resolved ->> 'customers' IS NULL
          OR declared.kind = 'role_permissions' AND resolved ->> 'roles' IS NULL THEN
        RAISE EXCEPTION 'what the rows refer to is not given' USING ERRCODE = '22004', HINT = format('Call entitle.adopt_%s.', declared.kind);
    ELSIF declared.kind = 'memberships' AND resolved ->> 'role_column' IS NOT NULL AND resolved ->> 'roles' IS NULL
          AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = entitle_internal.key_family(declared.source, resolved ->> 'role_column')
                          AND (t.typtype = 'e' OR t.typcategory = 'S')) THEN
        RAISE EXCEPTION 'column "%" of table "%" names no role', resolved ->> 'role_column', declared.source
            USING ERRCODE = '42804', HINT = 'It must hold the key by which roles were adopted, or names of roles.';
    END IF;
    declared.options := resolved;
    IF entitle.acting_superuser() AND entitle_internal.estranged_tables(declared) IS NOT NULL THEN
        resolved := resolved || '{"for_others": true}';
    END IF;
    RETURN resolved;
END
$$;
COMMENT ON FUNCTION entitle_internal.resolved_options(entitle.adoption) IS 'The options of an adoption, and what its rows refer to; an error when that is not the caller''s to give';
REVOKE ALL ON FUNCTION entitle_internal.resolved_options(entitle.adoption) FROM PUBLIC;

-- The owner of an adopted table gives to what others own: theirs became others' after the adoption, by ALTER TABLE or REASSIGN OWNED. A
-- superuser who adopts a table as it is says that its owner may (S529). Returns: the tables.
CREATE FUNCTION entitle_internal.estranged_tables(adopted entitle.adoption) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT string_agg(DISTINCT r.source::text, ', ')
    FROM entitle.adoption r
    JOIN pg_class c ON c.oid = r.source
    JOIN pg_class s ON s.oid = adopted.source AND s.relowner <> c.relowner
    WHERE r.adoption_id IN (SELECT e.value::bigint FROM jsonb_each_text(adopted.options) e
                            WHERE e.key IN ('organizations', 'brands', 'customers', 'users', 'roles') AND e.value ~ '^[0-9]{1,18}$')
      AND adopted.options ->> 'for_others' IS NULL
      AND NOT pg_has_role(s.relowner, c.relowner, 'USAGE')
    $$;
COMMENT ON FUNCTION entitle_internal.estranged_tables(entitle.adoption) IS 'Tables of others that an adopted table goes on giving to, without a superuser who said so';
REVOKE ALL ON FUNCTION entitle_internal.estranged_tables(entitle.adoption) FROM PUBLIC;
