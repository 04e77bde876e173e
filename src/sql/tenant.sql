-- Tenants: organizations and standalone brands that share one database. A permission that is held in one of them opens a table
-- without brand column to all of them (R52), because its rows do not say whose they are.

CREATE FUNCTION entitle_internal.tenant_count() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT count(DISTINCT b.organization_id) + count(*) FILTER (WHERE b.organization_id IS NULL) FROM entitle.brand b
    $$;
COMMENT ON FUNCTION entitle_internal.tenant_count() IS 'How many organizations with brands, and standalone brands, there are';
REVOKE ALL ON FUNCTION entitle_internal.tenant_count() FROM PUBLIC;

CREATE FUNCTION entitle_internal.warn_of_tenants(declared entitle.protection) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF declared.brand_column IS NULL AND declared.view_permission IS NOT NULL AND entitle_internal.tenant_count() > 1 THEN
        RAISE WARNING 'table "%" shows its rows to "%" of every organization and standalone brand', declared.relation, declared.view_permission
            USING HINT = 'Name the column that holds a row''s brand as brand_column, unless the rows are everybody''s.';
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.warn_of_tenants(entitle.protection) IS 'Part of protect_table: speaks up where a table of several tenants has no brand column';
REVOKE ALL ON FUNCTION entitle_internal.warn_of_tenants(entitle.protection) FROM PUBLIC;

CREATE FUNCTION entitle_internal.lint_tenants() RETURNS TABLE (severity text, object text, finding text, remedy text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT 'warning', p.relation::text,
           format('shows its rows to "%s" of every organization and standalone brand: it has no brand column', p.view_permission),
           '-- protect it again with brand_column, unless its rows are everybody''s'
    FROM entitle.protection p
    WHERE p.brand_column IS NULL AND p.view_permission IS NOT NULL AND entitle_internal.tenant_count() > 1
    $$;
COMMENT ON FUNCTION entitle_internal.lint_tenants() IS 'lint: tables whose rows several tenants share for want of a brand column';
REVOKE ALL ON FUNCTION entitle_internal.lint_tenants() FROM PUBLIC;
