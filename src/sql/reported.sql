-- Report mode (R66), what is kept: declarations that nothing enforces, in a table of their own. So whatever reads entitle.protection
-- takes such a table for one that is not protected, which is what report mode means.

CREATE TABLE entitle.reported_protection (LIKE entitle.protection INCLUDING DEFAULTS, PRIMARY KEY (relation));
COMMENT ON TABLE entitle.reported_protection IS 'What protect_table was told of tables in report mode, one row a table; read it through protected_tables';

-- Appended to when a transaction commits, and updated for those alone who are erased.
CREATE TABLE entitle.reported_rows (
    relation oid NOT NULL,
    owner_told boolean NOT NULL,
    login text,
    action text NOT NULL,
    gate text NOT NULL,
    rows bigint NOT NULL,
    sample_keys text[] NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL
);
COMMENT ON TABLE entitle.reported_rows IS 'What enforcement would have hidden, masked or refused, counted by transaction; protection_report sums it up';
COMMENT ON COLUMN entitle.reported_rows.owner_told IS 'Whether the table''s owner owned the documents of its rows, too: what is hidden of others'' is told to superusers (S503)';
COMMENT ON COLUMN entitle.reported_rows.login IS 'NULL when nobody was signed in';
COMMENT ON COLUMN entitle.reported_rows.action IS 'select, mask, insert, update or delete';
COMMENT ON COLUMN entitle.reported_rows.gate IS 'The gate that denies, as the last step of explain_row names it; of a mask its column, too';

ALTER TABLE entitle.reported_protection ENABLE ROW LEVEL SECURITY;
ALTER TABLE entitle.reported_rows ENABLE ROW LEVEL SECURITY;

CREATE VIEW entitle.protected_tables AS
    SELECT p.relation::pg_catalog.regclass AS relation, p.customer_column, p.date_column, p.brand_column, p.min_level,
           p.view_permission, p.insert_permission, p.update_permission, p.delete_permission,
           p.external_insert_level, p.external_update_level, p.masked_columns, p.view_name, p.parent::pg_catalog.regclass AS parent,
           p.external_delete_level, p.shared_rows, p.parent_key, p.mode
    FROM (SELECT e.*, 'enforce' AS mode FROM entitle.protection e
          UNION ALL
          SELECT r.*, 'report' AS mode FROM entitle.reported_protection r) p
    WHERE p.relation IN (SELECT c.oid FROM pg_catalog.pg_class c);
COMMENT ON VIEW entitle.protected_tables IS 'The tables that protect_table protects, as declared, and those in report mode, which it does not';

CREATE FUNCTION entitle_internal.check_known_permissions(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    unknown text;
BEGIN
    SELECT k INTO unknown
    FROM unnest(ARRAY[declared.view_permission, declared.insert_permission, declared.update_permission,
                      declared.delete_permission]) AS k
    WHERE k IS NOT NULL AND NOT EXISTS (SELECT FROM entitle.permission p WHERE p.permission_key = k)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'permission "%" is unknown', unknown
            USING ERRCODE = '22023', HINT = 'Add it to entitle.permission first, or correct the spelling: keys match byte for byte.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.check_known_permissions(entitle.protection) IS 'Refuses a declaration that names a permission which is not there';
REVOKE ALL ON FUNCTION entitle_internal.check_known_permissions(entitle.protection) FROM PUBLIC;

-- SECURITY DEFINER: a table's owner may not read the declarations.
CREATE FUNCTION entitle_internal.reported_declaration(relation regclass) RETURNS entitle.protection
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT ROW(r.*)::entitle.protection FROM entitle.reported_protection r WHERE r.relation = reported_declaration.relation
    $$;
COMMENT ON FUNCTION entitle_internal.reported_declaration(regclass) IS 'What is declared of a table in report mode; NULL when it is in none';
GRANT EXECUTE ON FUNCTION entitle_internal.reported_declaration(regclass) TO PUBLIC;

-- SECURITY DEFINER: as reported_declaration.
CREATE FUNCTION entitle_internal.reported_tables() RETURNS regclass[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(array_agg(r.relation::regclass ORDER BY r.relation::oid), '{}')
    FROM entitle.reported_protection r JOIN pg_class c ON c.oid = r.relation
    $$;
COMMENT ON FUNCTION entitle_internal.reported_tables() IS 'The tables in report mode; their triggers tell everyone the same';
GRANT EXECUTE ON FUNCTION entitle_internal.reported_tables() TO PUBLIC;

-- SECURITY DEFINER: as reported_declaration.
CREATE FUNCTION entitle_internal.reported_lines(relation regclass) RETURNS SETOF regclass
    LANGUAGE sql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT r.relation::regclass
    FROM entitle.reported_protection r
    WHERE r.parent = reported_lines.relation AND r.relation <> r.parent AND r.relation IN (SELECT c.oid FROM pg_class c)
    ORDER BY r.relation::text
    $$;
COMMENT ON FUNCTION entitle_internal.reported_lines(regclass) IS 'The tables in report mode that follow this one';
GRANT EXECUTE ON FUNCTION entitle_internal.reported_lines(regclass) TO PUBLIC;
