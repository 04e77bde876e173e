-- Erasing a person: login and name go, in the model, in the change log and in what report mode counted; keys and grants stay (R21, R34, R43).

-- What a row of the log says of a user, with the pseudonym in the place of what names the person.
CREATE FUNCTION entitle_internal.without_person(row_image jsonb, pseudonym text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT row_image
           || CASE WHEN row_image ? 'login' THEN jsonb_build_object('login', pseudonym) ELSE '{}'::jsonb END
           || CASE WHEN row_image ? 'full_name' THEN '{"full_name": null}'::jsonb ELSE '{}'::jsonb END
           || CASE WHEN row_image ? 'db_role' THEN '{"db_role": null}'::jsonb ELSE '{}'::jsonb END
    $$;
COMMENT ON FUNCTION entitle_internal.without_person(jsonb, text) IS 'A row of app_user, or its key, with a pseudonym for the login and without name and database role';
REVOKE ALL ON FUNCTION entitle_internal.without_person(jsonb, text) FROM PUBLIC;

-- Logins go from one user to another. Whose one was at an entry of the log tells who took it last before, or who gave it up next.
CREATE FUNCTION entitle_internal.login_bearer(login text, change_id bigint) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH passed AS (
        SELECT e.change_id, e.old_row ->> 'login' AS old_login, e.new_row ->> 'login' AS new_login, (coalesce(e.new_row, e.old_row) ->> 'user_id')::bigint AS user_id
        FROM entitle.change_log e
        WHERE e.relation = 'entitle.app_user'::regclass AND login_bearer.login IN (e.old_row ->> 'login', e.new_row ->> 'login')
          AND e.old_row ->> 'login' IS DISTINCT FROM e.new_row ->> 'login')
    SELECT coalesce((SELECT p.user_id FROM passed p WHERE p.new_login = login_bearer.login AND p.change_id <= login_bearer.change_id ORDER BY p.change_id DESC LIMIT 1),
                    (SELECT p.user_id FROM passed p WHERE p.old_login = login_bearer.login AND p.change_id > login_bearer.change_id ORDER BY p.change_id LIMIT 1))
    $$;
COMMENT ON FUNCTION entitle_internal.login_bearer(text, bigint) IS 'The user who had the login at an entry of the change log, NULL where it does not tell';
REVOKE ALL ON FUNCTION entitle_internal.login_bearer(text, bigint) FROM PUBLIC;

CREATE FUNCTION entitle.erase_user(login text, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    erased entitle.app_user;
    pseudonym text;
    logins text[]; -- every one that the user ever had
    shared text[]; -- those among them that were also somebody else's, whose entries stay his (S530)
BEGIN
    IF NOT entitle.acting_superuser() THEN
        RAISE EXCEPTION 'permission denied to erase a user'
            USING ERRCODE = '42501', HINT = 'Only a superuser may, and the reason is logged.';
    END IF;
    IF btrim(coalesce(reason, ''), E' \t\n\r\f\x0b') = '' THEN
        RAISE EXCEPTION 'a reason is missing' USING ERRCODE = '22023', HINT = 'Say why the user is erased; it is logged.';
    END IF;
    SELECT * INTO erased FROM entitle.app_user u WHERE u.login = erase_user.login FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such user' USING ERRCODE = '22023', HINT = 'See entitle.app_user for the users there are.';
    END IF;
    IF erased.is_active
       AND (EXISTS (SELECT FROM entitle.membership m WHERE m.user_id = erased.user_id AND m.is_owner)
            OR EXISTS (SELECT FROM entitle.external_access g WHERE g.user_id = erased.user_id AND g.role = 'L90')) THEN
        RAISE EXCEPTION 'the user owns an organization or a customer'
            USING ERRCODE = '55000', HINT = 'Make somebody else the owner first, and end this one''s ownership, or switch the user off.';
    END IF;
    -- Whoever took that login keeps nobody from being erased.
    FOR attempt IN 0..1000 LOOP
        pseudonym := concat_ws('-', 'erased', erased.user_id, nullif(attempt, 0));
        EXIT WHEN NOT EXISTS (SELECT FROM entitle.app_user u WHERE u.login = pseudonym AND u.user_id <> erased.user_id);
    END LOOP;
    logins := ARRAY(SELECT erased.login
                    UNION
                    SELECT i.image ->> 'login'
                    FROM entitle.change_log e, unnest(ARRAY[e.old_row, e.new_row]) AS i (image)
                    WHERE e.relation = 'entitle.app_user'::regclass AND (i.image ->> 'user_id')::bigint = erased.user_id);
    shared := ARRAY(SELECT DISTINCT l
                    FROM entitle.change_log e, unnest(ARRAY[e.old_row, e.new_row]) AS i (image), unnest(logins) AS l
                    WHERE e.relation = 'entitle.app_user'::regclass AND i.image ->> 'login' = l AND (i.image ->> 'user_id')::bigint <> erased.user_id);
    DELETE FROM entitle.pending_invitation i WHERE i.user_id = erased.user_id;
    DELETE FROM entitle.sign_in_grant g WHERE g.login = erased.login;
    UPDATE entitle.app_user u SET login = pseudonym, full_name = NULL, db_role = NULL, is_active = false WHERE u.user_id = erased.user_id;
    UPDATE entitle.change_log l SET actor_login = pseudonym
    WHERE l.actor_login = ANY (logins)
      AND (l.actor_login <> ALL (shared) OR coalesce(entitle_internal.login_bearer(l.actor_login, l.change_id), erased.user_id) = erased.user_id);
    UPDATE entitle.reported_rows r SET login = pseudonym -- S516
    WHERE r.login = ANY (logins)
      AND (r.login <> ALL (shared)
           OR coalesce(entitle_internal.login_bearer(r.login, coalesce((SELECT max(e.change_id) FROM entitle.change_log e WHERE e.changed_at <= r.last_seen), 0)),
                       erased.user_id) = erased.user_id);
    UPDATE entitle.change_log l
    SET old_row = l.old_row || jsonb_build_object('login', pseudonym), new_row = l.new_row || jsonb_build_object('login', pseudonym)
    WHERE l.relation = 'entitle.sign_in_grant'::regclass AND coalesce(l.new_row, l.old_row) ->> 'login' = ANY (logins)
      AND (coalesce(l.new_row, l.old_row) ->> 'login' <> ALL (shared)
           OR coalesce(entitle_internal.login_bearer(coalesce(l.new_row, l.old_row) ->> 'login', l.change_id), erased.user_id) = erased.user_id);
    UPDATE entitle.change_log l
    SET row_key = entitle_internal.without_person(l.row_key, pseudonym), old_row = entitle_internal.without_person(l.old_row, pseudonym),
        new_row = entitle_internal.without_person(l.new_row, pseudonym)
    WHERE l.relation = 'entitle.app_user'::regclass
      AND erased.user_id IN ((l.row_key ->> 'user_id')::bigint, (l.old_row ->> 'user_id')::bigint, (l.new_row ->> 'user_id')::bigint);
    INSERT INTO entitle.change_log (actor_login, relation, action, row_key, new_row, reason)
    SELECT entitle.current_login(), 'entitle.app_user', 'erase', jsonb_build_object('user_id', u.user_id), to_jsonb(u), erase_user.reason
    FROM entitle.app_user u
    WHERE u.user_id = erased.user_id;
END
$$;
COMMENT ON FUNCTION entitle.erase_user(text, text) IS
    'Puts a pseudonym in the place of a user''s login, in the model, the change log and what report mode counted, takes name and mapping away, and switches the user off; keys and grants stay, and so do notes and the rows of other tables'
    '. Raises 42501: no superuser; 22023: no such user, or no reason; 55000: an active owner of something';
REVOKE ALL ON FUNCTION entitle.erase_user(text, text) FROM PUBLIC;
