-- How organizations, brands, roles, their permissions and memberships follow adopted tables (R64). Each kind says what its rows stand
-- for, as images of rows of the model; the rest is alike. Their tables are small, so that planning each statement anew does not matter.

-- What the rows of an adopted table stand for in a table of the model; with a problem, nothing.
CREATE FUNCTION entitle_internal.wanted_rows(adopted entitle.adoption, relation text, keys text[])
    RETURNS TABLE (source_key text, image jsonb, problem text, waits_for text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    CASE relation
        WHEN 'organization' THEN RETURN QUERY SELECT * FROM entitle_internal.wanted_organizations(adopted, keys);
        WHEN 'brand' THEN RETURN QUERY SELECT * FROM entitle_internal.wanted_brands(adopted, keys);
        WHEN 'role' THEN RETURN QUERY SELECT * FROM entitle_internal.wanted_roles(adopted, keys);
        WHEN 'role_permission' THEN RETURN QUERY SELECT * FROM entitle_internal.wanted_role_permissions(adopted, keys);
        WHEN 'membership' THEN RETURN QUERY SELECT * FROM entitle_internal.wanted_memberships(adopted, keys);
    END CASE;
END
$$;
COMMENT ON FUNCTION entitle_internal.wanted_rows(entitle.adoption, text, text[]) IS 'What the rows of an adopted table stand for in a table of the model';
REVOKE ALL ON FUNCTION entitle_internal.wanted_rows(entitle.adoption, text, text[]) FROM PUBLIC;

-- What one row of the model alone may have, p beside h. A row that is not active claims nothing.
CREATE FUNCTION entitle_internal.model_claim(relation text, OUT same text, OUT parts text, OUT taken text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT c.same, c.parts, c.taken
    FROM (VALUES ('organization', 'h.name = p.name AND (h.adoption_id IS NULL OR h.is_active)', 'p.name', $q$format('name "%s" is taken', p.name)$q$),
                 ('brand', '(h.brand_id = p.brand_id OR h.brand_uuid = p.brand_uuid OR h.brand_code = p.brand_code)', 'w.source_key', $q$format('key "%s" is that of another brand', w.source_key)$q$),
                 ('role', 'h.organization_id = p.organization_id AND h.name = p.name AND (h.adoption_id IS NULL OR h.is_active)', 'p.organization_id, p.name',
                  $q$format('name "%s" is taken in the organization', p.name)$q$),
                 ('role_permission', 'h.role_id = p.role_id AND h.permission_key = p.permission_key', 'p.role_id, p.permission_key',
                  $q$format('the role has permission "%s" already', p.permission_key)$q$),
                 ('membership', 'h.user_id = p.user_id AND (h.organization_id, h.brand_id, h.role_id) IS NOT DISTINCT FROM (p.organization_id, p.brand_id, p.role_id)',
                  'p.user_id, p.organization_id, p.brand_id, p.role_id', $q$'the user has that membership already'$q$)) AS c (relation, same, parts, taken)
    WHERE c.relation = model_claim.relation
    $$;
COMMENT ON FUNCTION entitle_internal.model_claim(text) IS 'What no two rows of a table of the model have in common, as conditions of its own statements';
REVOKE ALL ON FUNCTION entitle_internal.model_claim(text) FROM PUBLIC;

-- What is installed stands in no application's way while nobody uses it. The organization takes another name. The brand goes, if a superuser
-- adopts the table that has its number, or has no rows yet: whoever writes one later would have what others may put into brand 1.
CREATE FUNCTION entitle_internal.yield_installed(relation text, images jsonb[], is_whole boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF relation = 'organization' THEN
        UPDATE entitle.organization o SET name = format('%s (installed)', o.name)
        WHERE o.as_shipped AND o.name IN (SELECT i ->> 'name' FROM unnest(images) AS i)
          AND NOT EXISTS (SELECT
                          FROM entitle.membership m
                          LEFT JOIN entitle.brand b ON b.brand_id = m.brand_id
                          WHERE o.organization_id IN (m.organization_id, b.organization_id));
    ELSIF relation = 'brand' AND is_whole AND entitle.acting_superuser() THEN
        DELETE FROM entitle.brand b
        WHERE b.as_shipped AND (images = '{}' OR b.brand_id IN (SELECT (i ->> 'brand_id')::bigint FROM unnest(images) AS i))
          AND NOT EXISTS (SELECT FROM entitle.customer c WHERE c.brand_id = b.brand_id)
          AND NOT EXISTS (SELECT FROM entitle.membership m WHERE b.brand_id = m.brand_id OR b.organization_id = m.organization_id)
          AND NOT EXISTS (SELECT FROM entitle.pending_invitation i WHERE b.brand_id = i.brand_id OR b.organization_id = i.organization_id)
          AND NOT EXISTS (SELECT FROM entitle.protection p WHERE p.brand_column IS NOT NULL);
    END IF;
END
$$;
COMMENT ON FUNCTION entitle_internal.yield_installed(text, jsonb[], boolean) IS
    'Takes the installed organization''s name, or the installed brand, out of the way of the rows of an adopted table';
REVOKE ALL ON FUNCTION entitle_internal.yield_installed(text, jsonb[], boolean) FROM PUBLIC;

-- Organizations, brands and roles stay when their row goes, not active: what was granted in them waits (R43). The others go.
CREATE FUNCTION entitle_internal.follow_model(adopted entitle.adoption, relation text, keys text[]) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    source CONSTANT bigint := adopted.adoption_id;
    is_whole CONSTANT boolean := keys IS NULL;
    stays CONSTANT boolean := relation IN ('organization', 'brand', 'role');
    claim CONSTANT record := entitle_internal.model_claim(relation);
    -- What they stand for, as rows of the model's table.
    given CONSTANT text := format('unnest($2, $3) AS w (source_key, image) CROSS JOIN LATERAL jsonb_populate_record(NULL::entitle.%I, w.image) p', relation);
    named CONSTANT text := CASE relation WHEN 'organization' THEN 'name, is_active' WHEN 'brand' THEN 'organization_id, name, is_active, brand_uuid, brand_code'
                                           WHEN 'role' THEN 'organization_id, name, is_active' WHEN 'role_permission' THEN 'role_id, permission_key'
                                           ELSE 'user_id, organization_id, brand_id, role_id, is_owner' END;
    told CONSTANT text := 'p.' || replace(named, ', ', ', p.');
    found_keys text[];
    images jsonb[];
    losers text[];
    problems text[];
    waits text[];
    lost_keys text[];
    lost_images jsonb[];
    lost_problems text[];
    lost_waits text[];
    more text[];
    changed bigint := 0;
    touched bigint;
BEGIN
    LOOP
        SELECT coalesce(array_agg(w.source_key) FILTER (WHERE w.problem IS NULL), '{}'), coalesce(array_agg(w.image) FILTER (WHERE w.problem IS NULL), '{}'),
               coalesce(array_agg(w.source_key) FILTER (WHERE w.problem IS NOT NULL), '{}'), coalesce(array_agg(w.problem) FILTER (WHERE w.problem IS NOT NULL), '{}'),
               coalesce(array_agg(w.waits_for) FILTER (WHERE w.problem IS NOT NULL), '{}')
        INTO found_keys, images, losers, problems, waits
        FROM entitle_internal.wanted_rows(adopted, relation, keys) w;
        EXIT WHEN is_whole;
        -- Which row has it now may be about to lose it: two rows that swap are followed together.
        EXECUTE format('SELECT array_agg(DISTINCT h.source_key) FROM %s JOIN entitle.%I h ON %s WHERE h.adoption_id = $1 AND h.source_key <> ALL ($4)',
                       given, relation, claim.same) USING source, found_keys, images, keys INTO more;
        EXIT WHEN more IS NULL;
        keys := keys || more;
    END LOOP;

    IF relation = 'organization' OR relation = 'brand' AND adopted.options ->> 'key_type' = 'integer' AND NOT adopted.is_forgotten THEN
        PERFORM entitle_internal.yield_installed(relation, images, is_whole);
    END IF;
    -- Who has it keeps it.
    EXECUTE format($q$
        SELECT coalesce(array_agg(l.source_key), '{}'), coalesce(array_agg(l.image), '{}'), coalesce(array_agg(l.problem), '{}'), coalesce(array_agg(l.waits_for), '{}')
        FROM (SELECT w.source_key, w.image, %3$s AS problem, h.adoption_id IS DISTINCT FROM $1 AND NOT h IS NULL AS is_held, row_number() OVER one AS place,
                     CASE WHEN h IS NULL OR h.adoption_id = $1 THEN format('%%s %%s', $1, first_value(w.source_key) OVER one) END AS waits_for
              FROM %1$s
              LEFT JOIN entitle.%2$I h ON %4$s
              WHERE $4 OR (w.image ->> 'is_active')::boolean IS NOT FALSE
              WINDOW one AS (PARTITION BY %5$s ORDER BY (h.adoption_id = $1 AND h.source_key = w.source_key) IS TRUE DESC, w.source_key COLLATE "C")) l
        WHERE l.is_held OR l.place > 1 $q$, given, relation, claim.taken, claim.same, claim.parts)
    USING source, found_keys, images, relation = 'brand' INTO lost_keys, lost_images, lost_problems, lost_waits;
    IF adopted.options ? 'estranged' THEN
        EXECUTE format('SELECT $4 || coalesce(array_agg(w.source_key), ''{}''), $5 || coalesce(array_agg(w.image), ''{}'')'
                       ' FROM unnest($2, $3) AS w (source_key, image) WHERE (w.image ->> ''is_active'')::boolean IS NOT FALSE'
                       ' AND NOT EXISTS (SELECT FROM unnest($4, $5) AS l (source_key, image) WHERE l.source_key = w.source_key AND l.image = w.image)'
                       ' AND NOT EXISTS (SELECT FROM entitle.%I h WHERE h.adoption_id = $1 AND h.source_key = w.source_key AND to_jsonb(h) @> w.image)', relation)
        USING source, found_keys, images, lost_keys, lost_images INTO lost_keys, lost_images;
        lost_problems := lost_problems || array_fill(adopted.options ->> 'estranged', ARRAY[cardinality(lost_keys) - cardinality(lost_problems)]);
        lost_waits := lost_waits || array_fill(NULL::text, ARRAY[cardinality(lost_keys) - cardinality(lost_waits)]);
    END IF;
    losers := losers || lost_keys;
    problems := problems || lost_problems;
    waits := waits || lost_waits;
    IF losers <> '{}' AND adopted.on_conflict = 'refuse' THEN
        PERFORM entitle_internal.raise_conflict(adopted, '23505', ARRAY[(SELECT string_agg(p, '; ') FROM (SELECT DISTINCT p FROM unnest(problems) AS p ORDER BY p LIMIT 10) p)],
                                                ARRAY(SELECT DISTINCT l FROM unnest(losers) AS l ORDER BY l), is_whole);
    END IF;
    PERFORM entitle_internal.add_findings(adopted, relation, keys, losers, problems, waits);
    SELECT coalesce(array_agg(w.source_key), '{}'), coalesce(array_agg(w.image), '{}') INTO found_keys, images
    FROM unnest(found_keys, images) AS w (source_key, image)
    WHERE NOT EXISTS (SELECT FROM unnest(lost_keys, lost_images) AS l (source_key, image) WHERE l.source_key = w.source_key AND l.image = w.image);

    IF is_whole THEN
        EXECUTE format('SELECT array_agg(DISTINCT h.source_key) FROM entitle.%I h WHERE h.adoption_id = $1', relation) USING source INTO keys;
    END IF;
    IF relation IN ('brand', 'role') THEN
        EXECUTE format('SELECT entitle_internal.meet_writers($1, ''move'') WHERE EXISTS (SELECT FROM %s JOIN entitle.%I h ON h.adoption_id = $1'
                       ' AND h.source_key = w.source_key WHERE h.organization_id <> p.organization_id)', given, relation)
        USING source, found_keys, images;
        -- Memberships whose role or brand moves to another organization are looked at again, now and when their own rows are written:
        -- under a changed key of the organization these come next.
        EXECUTE format('WITH ended AS (DELETE FROM entitle.membership m USING %s JOIN entitle.%I h ON h.adoption_id = $1 AND h.source_key = w.source_key'
                       ' WHERE h.organization_id <> p.organization_id AND m.%I = h.%3$I AND m.role_id IS NOT NULL RETURNING m.adoption_id, m.source_key, w.source_key AS moved)'
                       ' INSERT INTO entitle.adoption_finding (adoption_id, source_key, problem, waits_for, place)'
                       ' SELECT e.adoption_id, e.source_key, ''the %4$s moved to another organization'', format(''%%s %%s'', $1, min(e.moved)), 0 FROM ended e GROUP BY 1, 2'
                       ' ON CONFLICT ON CONSTRAINT adoption_finding_pkey DO UPDATE SET waits_for = excluded.waits_for', given, relation, relation || '_id', relation)
        USING source, found_keys, images;
    END IF;
    IF stays THEN
        -- Whose row went gives nothing, and what another row wants becomes free.
        EXECUTE format('UPDATE entitle.%I h SET is_active = false FROM (SELECT DISTINCT k FROM unnest($4) AS k) AS k (source_key)'
                       ' WHERE h.adoption_id = $1 AND h.source_key = k.source_key AND h.is_active'
                       ' AND (NOT EXISTS (SELECT FROM unnest($2) AS w (source_key) WHERE w.source_key = h.source_key)'
                       ' OR EXISTS (SELECT FROM %s WHERE w.source_key <> h.source_key AND p.is_active AND %s))', relation, given, claim.same)
        USING source, found_keys, images, keys;
        GET DIAGNOSTICS touched = ROW_COUNT;
        changed := changed + touched;
        EXECUTE format('UPDATE entitle.%I h SET (%s) = ROW(%s) FROM %s WHERE h.adoption_id = $1 AND h.source_key = w.source_key AND NOT to_jsonb(h) @> w.image',
                       relation, named, told, given) USING source, found_keys, images;
    ELSE
        EXECUTE format('DELETE FROM entitle.%I h USING (SELECT DISTINCT k FROM unnest($4) AS k) AS k (source_key)'
                       ' WHERE h.adoption_id = $1 AND h.source_key = k.source_key'
                       ' AND NOT EXISTS (SELECT FROM unnest($2, $3) AS w (source_key, image) WHERE w.source_key = h.source_key AND to_jsonb(h) @> w.image)', relation)
        USING source, found_keys, images, keys;
    END IF;
    GET DIAGNOSTICS touched = ROW_COUNT;
    changed := changed + touched;
    IF relation = 'brand' THEN
        SELECT count(*) INTO touched FROM unnest(found_keys) AS w (source_key)
        WHERE NOT EXISTS (SELECT FROM entitle.brand h WHERE h.adoption_id = source AND h.source_key = w.source_key);
        -- The installed brand has every module, and so has one that comes; later they are switched here (R23).
        WITH made AS (
            INSERT INTO entitle.brand (brand_id, brand_uuid, brand_code, organization_id, name, is_active, adoption_id, source_key)
            SELECT coalesce(p.brand_id, nextval('entitle.brand_brand_id_seq')), p.brand_uuid, p.brand_code, p.organization_id, p.name, p.is_active,
                   source, w.source_key
            FROM unnest(found_keys, images) AS w (source_key, image)
            CROSS JOIN LATERAL jsonb_populate_record(NULL::entitle.brand, w.image) p
            WHERE NOT EXISTS (SELECT FROM entitle.brand h WHERE h.adoption_id = source AND h.source_key = w.source_key)
            RETURNING brand_id)
        INSERT INTO entitle.brand_module (brand_id, module_key) SELECT b.brand_id, m.module_key FROM made b CROSS JOIN entitle.module m;
        -- A brand made here takes no number that a row has. Above, there are none: rows do not use the numbers up (S377).
        PERFORM setval('entitle.brand_brand_id_seq', b.highest)
        FROM (SELECT max((i ->> 'brand_id')::bigint) AS highest FROM unnest(images) AS i WHERE (i ->> 'brand_id')::bigint < (1::bigint << 62)) b
        WHERE b.highest >= (SELECT s.last_value FROM entitle.brand_brand_id_seq s);
    ELSE
        EXECUTE format('INSERT INTO entitle.%1$I (%2$s, adoption_id, source_key) SELECT %3$s, $1, w.source_key FROM %4$s'
                       ' WHERE NOT EXISTS (SELECT FROM entitle.%1$I h WHERE h.adoption_id = $1 AND h.source_key = w.source_key AND %5$s)',
                       relation, named, told, given, CASE WHEN stays THEN 'true' ELSE claim.same END) USING source, found_keys, images;
        GET DIAGNOSTICS touched = ROW_COUNT;
    END IF;
    RETURN changed + touched;
END
$$;
COMMENT ON FUNCTION entitle_internal.follow_model(entitle.adoption, text, text[]) IS 'Has a table of the model follow the rows of an adopted table';
REVOKE ALL ON FUNCTION entitle_internal.follow_model(entitle.adoption, text, text[]) FROM PUBLIC;

-- Roles have two tables, of which the second adds.
CREATE FUNCTION entitle_internal.add_findings(adopted entitle.adoption, relation text, keys text[], found_keys text[], problems text[], waits text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF relation = entitle_internal.adopted_relation(adopted.kind) THEN
        PERFORM entitle_internal.note_findings(adopted, keys, '{}', '{}', '{}');
    END IF;
    INSERT INTO entitle.adoption_finding (adoption_id, source_key, problem, waits_for, place)
    SELECT adopted.adoption_id, n.source_key, n.problem, n.waits_for,
           coalesce((SELECT max(f.place) FROM entitle.adoption_finding f WHERE f.adoption_id = adopted.adoption_id AND f.source_key = n.source_key), 0)
           + row_number() OVER (PARTITION BY n.source_key ORDER BY n.problem)
    FROM (SELECT DISTINCT * FROM unnest(found_keys, problems, waits) AS n (source_key, problem, waits_for)) n;
END
$$;
COMMENT ON FUNCTION entitle_internal.add_findings(entitle.adoption, text, text[], text[], text[], text[]) IS
    'Puts these findings in the place of those that the keys, or all rows, of an adopted table had in that table of the model';
REVOKE ALL ON FUNCTION entitle_internal.add_findings(entitle.adoption, text, text[], text[], text[], text[]) FROM PUBLIC;

CREATE FUNCTION entitle_internal.differing_model(adopted entitle.adoption, relation text) RETURNS TABLE (source_key text, problem text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stays CONSTANT boolean := relation IN ('organization', 'brand', 'role');
    thing CONSTANT text := CASE relation WHEN 'role_permission' THEN 'permission' ELSE relation END;
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH wanted AS (SELECT * FROM entitle_internal.wanted_rows($1, $2, NULL)),
             given AS (SELECT h.source_key, to_jsonb(h) AS image FROM entitle.%I h WHERE h.adoption_id = ($1).adoption_id)
        SELECT w.source_key, coalesce(w.problem, CASE WHEN $3 AND EXISTS (SELECT FROM given g WHERE g.source_key = w.source_key)
                                                      THEN format('the %%s differs from the row', $4) ELSE format('there is no %%s for the row', $4) END)
        FROM wanted w
        WHERE w.problem IS NOT NULL OR NOT EXISTS (SELECT FROM given g WHERE g.source_key = w.source_key AND g.image @> w.image)
        UNION ALL
        SELECT g.source_key, format('the %%s of a row that gives none is in force', $4)
        FROM given g
        WHERE CASE WHEN $3 THEN (g.image ->> 'is_active')::boolean AND NOT EXISTS (SELECT FROM wanted w WHERE w.source_key = g.source_key)
              ELSE NOT EXISTS (SELECT FROM wanted w WHERE w.source_key = g.source_key AND g.image @> w.image) END $q$, relation)
    USING adopted, relation, stays, thing;
END
$$;
COMMENT ON FUNCTION entitle_internal.differing_model(entitle.adoption, text) IS 'Where a table of the model differs from the rows of an adopted table';
REVOKE ALL ON FUNCTION entitle_internal.differing_model(entitle.adoption, text) FROM PUBLIC;
