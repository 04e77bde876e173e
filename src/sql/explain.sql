-- Explanations: the checks told step by step, by the evaluator that decides them. The last step repeats the decision. Nobody
-- learns of users or rows they may not know: those give the very steps that users and rows which do not exist give.

CREATE FUNCTION entitle.explain_permission(permission text, login text DEFAULT NULL, brand_id bigint DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10
    AS 'MODULE_PATHNAME', 'entitle_explain_permission';
COMMENT ON FUNCTION entitle.explain_permission(text, text, bigint) IS
    'has_permission gate by gate (R2); for another user, for those who manage external access, roles or members in the brand, and superusers (R62)';
GRANT EXECUTE ON FUNCTION entitle.explain_permission(text, text, bigint) TO PUBLIC;

CREATE FUNCTION entitle.explain_capability(capability text, login text DEFAULT NULL, brand_id bigint DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10
    AS 'MODULE_PATHNAME', 'entitle_explain_capability';
COMMENT ON FUNCTION entitle.explain_capability(text, text, bigint) IS 'has_capability, told as explain_permission tells';
GRANT EXECUTE ON FUNCTION entitle.explain_capability(text, text, bigint) TO PUBLIC;

CREATE FUNCTION entitle.explain_metric(metric text, login text DEFAULT NULL, brand_id bigint DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10
    AS 'MODULE_PATHNAME', 'entitle_explain_metric';
COMMENT ON FUNCTION entitle.explain_metric(text, text, bigint) IS 'has_metric, told as explain_permission tells';
GRANT EXECUTE ON FUNCTION entitle.explain_metric(text, text, bigint) TO PUBLIC;

CREATE FUNCTION entitle_internal.explain_sign_in(login text, db_role name, may_ask boolean)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 5
    AS 'MODULE_PATHNAME', 'entitle_explain_sign_in';
COMMENT ON FUNCTION entitle_internal.explain_sign_in(text, name, boolean) IS 'explain_sign_in, for whoever may ask about the user';
REVOKE ALL ON FUNCTION entitle_internal.explain_sign_in(text, name, boolean) FROM PUBLIC;

-- SECURITY DEFINER: it finds the user past the users' own policy, and the list of sign_in_grant. Whom the caller does not manage is as
-- one who does not exist.
CREATE FUNCTION entitle.explain_sign_in(login text, db_role name DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 5
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT *
    FROM entitle_internal.explain_sign_in(
        login, db_role,
        entitle.acting_superuser()
        OR EXISTS (SELECT FROM entitle.app_user u
                   WHERE u.login = explain_sign_in.login AND (u.user_id = entitle.own_user() OR entitle.manages_user(u.user_id))))
    $$;
COMMENT ON FUNCTION entitle.explain_sign_in(text, name) IS
    'Why sign_in(login) is refused or not for a database role, or with NULL for the session''s; about oneself, for those who manage the user, and superusers (R62, R63)';
GRANT EXECUTE ON FUNCTION entitle.explain_sign_in(text, name) TO PUBLIC;

CREATE FUNCTION entitle.explain_row(relation regclass, key text, login text DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10
    AS 'MODULE_PATHNAME', 'entitle_explain_row';
COMMENT ON FUNCTION entitle.explain_row(regclass, text, text) IS
    'Why a row of a protected table, found by its primary key, shows or not; for another user, for those who manage the customer''s access and superusers'
    '. Raises 22P02: the key is not of its column''s type';
GRANT EXECUTE ON FUNCTION entitle.explain_row(regclass, text, text) TO PUBLIC;

CREATE FUNCTION entitle.explain_action(relation regclass, key text, action text, login text DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10
    AS 'MODULE_PATHNAME', 'entitle_explain_action';
COMMENT ON FUNCTION entitle.explain_action(regclass, text, text, text) IS
    'explain_row for an action: select, update or delete; a row is written by those to whom it shows'
    '. Raises 22023: no such action; 22P02: the key is not of its column''s type';
GRANT EXECUTE ON FUNCTION entitle.explain_action(regclass, text, text, text) TO PUBLIC;

CREATE FUNCTION entitle.explain_new_row(relation regclass, new_row jsonb, action text DEFAULT 'insert', login text DEFAULT NULL)
    RETURNS TABLE (step integer, gate text, passed boolean, detail text)
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10
    AS 'MODULE_PATHNAME', 'entitle_explain_new_row';
COMMENT ON FUNCTION entitle.explain_new_row(regclass, jsonb, text, text) IS
    'explain_row for a row as it would be written: whether it may be inserted, or an update make it of another; columns not given are NULL'
    '. Raises 22023: no such action, or no JSON object; 42703: no such column';
GRANT EXECUTE ON FUNCTION entitle.explain_new_row(regclass, jsonb, text, text) TO PUBLIC;
