-- Customers that are rows of an application's table (R64, R65): an active row is an ACTV customer, any other an INAC one.

-- Facts: whether it is active, name, brand, then the profile's columns in the order of the table.
CREATE FUNCTION entitle_internal.wanted_customers(adopted entitle.adoption, keys text[]) RETURNS SETOF entitle.customer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.*
    FROM (SELECT DISTINCT ON (f.source_key COLLATE "C") f.source_key, f.facts,
                 ARRAY(SELECT nullif(btrim(t.told, E' \t\n\r\f\x0b'), '') FROM unnest(f.facts) WITH ORDINALITY AS t (told, place) ORDER BY t.place) AS told
          FROM entitle_internal.source_facts(adopted.adoption_id, keys) f
          ORDER BY f.source_key COLLATE "C", f.facts[1] DESC NULLS LAST, f.facts) f
    LEFT JOIN entitle.brand b ON b.adoption_id = (adopted.options ->> 'brands')::bigint AND b.source_key = f.facts[3]
    -- Without a brand they are the installed one's, never those of an adopted brand that bears its number.
    LEFT JOIN entitle.brand i ON i.brand_id = 1 AND i.adoption_id IS NULL
    CROSS JOIN LATERAL jsonb_populate_record(NULL::entitle.customer, jsonb_build_object(
        'customer_id', CASE adopted.options ->> 'key_type' WHEN 'integer' THEN f.source_key END,
        'customer_uuid', CASE adopted.options ->> 'key_type' WHEN 'uuid' THEN f.source_key END,
        'customer_code', CASE adopted.options ->> 'key_type' WHEN 'text' THEN f.source_key END,
        'brand_id', CASE WHEN adopted.options ->> 'brands' IS NULL THEN coalesce(f.told[3], i.brand_id::text) ELSE b.brand_id::text END, 'legal_name', f.told[4], 'trade_name', coalesce(f.told[5], f.told[2]), 'tax_id', f.told[6],
        'country', f.told[7], 'address', f.told[8], 'contact_email', f.told[9], 'notes', f.told[10],
        'status', CASE WHEN f.facts[1] = 't' THEN 'ACTV' ELSE 'INAC' END, 'adoption_id', adopted.adoption_id, 'source_key', f.source_key)) c
    -- Whose brand is not said is nobody's customer.
    WHERE adopted.options ->> 'brands' IS NULL OR f.facts[3] IS NOT NULL;
END
$$;
COMMENT ON FUNCTION entitle_internal.wanted_customers(entitle.adoption, text[]) IS 'The customers that the rows of an adopted table stand for';
REVOKE ALL ON FUNCTION entitle_internal.wanted_customers(entitle.adoption, text[]) FROM PUBLIC;

CREATE FUNCTION entitle_internal.follow_customers(adopted entitle.adoption, keys text[]) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    source CONSTANT bigint := adopted.adoption_id;
    is_whole CONSTANT boolean := keys IS NULL;
    wanted entitle.customer[];
    losers text[];
    problems text[];
    next_id bigint;
    changed bigint := 0;
    touched bigint;
BEGIN
    SELECT array_agg(w) INTO wanted FROM entitle_internal.wanted_customers(adopted, keys) w;

    -- A key is one customer's; a brand must be there.
    SELECT array_agg(p.source_key ORDER BY p.source_key COLLATE "C"), array_agg(p.problem ORDER BY p.source_key COLLATE "C")
    INTO losers, problems
    FROM (SELECT w.source_key,
                 CASE WHEN EXISTS (SELECT
                                   FROM entitle.customer c
                                   WHERE c.customer_id = w.customer_id AND (c.adoption_id, c.source_key) IS DISTINCT FROM (source, w.source_key))
                           OR EXISTS (SELECT
                                      FROM entitle.customer c
                                      WHERE c.customer_uuid = w.customer_uuid AND (c.adoption_id, c.source_key) IS DISTINCT FROM (source, w.source_key))
                           OR EXISTS (SELECT
                                      FROM entitle.customer c
                                      WHERE c.customer_code = w.customer_code AND (c.adoption_id, c.source_key) IS DISTINCT FROM (source, w.source_key))
                      THEN format('key "%s" is that of another customer', w.source_key)
                      WHEN w.brand_id IS NULL THEN CASE WHEN adopted.options ->> 'brands' IS NULL THEN 'it names no brand, and the installed one is gone'
                                                        ELSE 'no brand has the key that it names' END
                      WHEN NOT EXISTS (SELECT FROM entitle.brand b WHERE b.brand_id = w.brand_id) THEN format('there is no brand %s', w.brand_id)
                      WHEN NOT EXISTS (SELECT
                                       FROM entitle.customer c
                                       WHERE c.adoption_id = source AND c.source_key = w.source_key AND c.brand_id = w.brand_id
                                         AND (c.status <> 'INAC' OR w.status = 'INAC')) THEN adopted.options ->> 'estranged' END AS problem
          FROM unnest(wanted) w) p
    WHERE p.problem IS NOT NULL;
    IF losers <> '{}' AND adopted.on_conflict = 'refuse' THEN
        PERFORM entitle_internal.raise_conflict(adopted, '23505', problems, losers, is_whole);
    END IF;
    PERFORM entitle_internal.note_findings(adopted, keys, losers, problems, ARRAY(
        SELECT CASE WHEN adopted.options ->> 'brands' IS NOT NULL
                    THEN (SELECT min(format('%s %s', adopted.options ->> 'brands', f.facts[3])) FROM entitle_internal.source_facts(source, ARRAY[l.key]) f) END
        FROM unnest(losers) WITH ORDINALITY AS l (key, place) ORDER BY l.place));
    wanted := ARRAY(SELECT w FROM unnest(wanted) w WHERE NOT EXISTS (SELECT FROM unnest(losers) AS l WHERE l = w.source_key));

    UPDATE entitle.customer c
    SET brand_id = w.brand_id, legal_name = w.legal_name, trade_name = w.trade_name, tax_id = w.tax_id, country = w.country,
        address = w.address, contact_email = w.contact_email, notes = w.notes, status = w.status
    FROM unnest(wanted) w
    WHERE c.adoption_id = source AND c.source_key = w.source_key
      AND (c.brand_id, c.legal_name, c.trade_name, c.tax_id, c.country, c.address, c.contact_email, c.notes, c.status)
          IS DISTINCT FROM (w.brand_id, w.legal_name, w.trade_name, w.tax_id, w.country, w.address, w.contact_email, w.notes, w.status);
    GET DIAGNOSTICS touched = ROW_COUNT;
    changed := changed + touched;
    INSERT INTO entitle.customer (customer_id, customer_uuid, customer_code, brand_id, legal_name, trade_name, tax_id, country, address,
                                  contact_email, notes, status, adoption_id, source_key)
    SELECT coalesce(w.customer_id, nextval('entitle.customer_customer_id_seq')), coalesce(w.customer_uuid, gen_random_uuid()), w.customer_code, w.brand_id,
           w.legal_name, w.trade_name, w.tax_id, w.country, w.address, w.contact_email, w.notes, w.status, source, w.source_key
    FROM unnest(wanted) w
    WHERE NOT EXISTS (SELECT FROM entitle.customer c WHERE c.adoption_id = source AND c.source_key = w.source_key);
    GET DIAGNOSTICS touched = ROW_COUNT;
    changed := changed + touched;
    -- A customer made here takes no number that a row has. Above, there are none: rows do not use the numbers up (S377).
    next_id := (SELECT max(w.customer_id) FROM unnest(wanted) w WHERE w.customer_id < (1::bigint << 62));
    IF touched > 0 AND next_id >= (SELECT s.last_value FROM entitle.customer_customer_id_seq s) THEN
        PERFORM setval('entitle.customer_customer_id_seq', next_id);
    END IF;
    -- Whose row went is INAC, and what was granted on it waits (R43).
    IF is_whole THEN
        keys := ARRAY(SELECT c.source_key FROM entitle.customer c WHERE c.adoption_id = source AND c.status <> 'INAC');
    END IF;
    UPDATE entitle.customer c
    SET status = 'INAC'
    FROM (SELECT k FROM unnest(keys) AS k EXCEPT SELECT w.source_key FROM unnest(wanted) w) AS gone (source_key)
    WHERE c.adoption_id = source AND c.source_key = gone.source_key AND c.status <> 'INAC';
    GET DIAGNOSTICS touched = ROW_COUNT;
    RETURN changed + touched;
END
$$;
COMMENT ON FUNCTION entitle_internal.follow_customers(entitle.adoption, text[]) IS 'Has the customers follow the rows of an adopted table';
REVOKE ALL ON FUNCTION entitle_internal.follow_customers(entitle.adoption, text[]) FROM PUBLIC;

CREATE FUNCTION entitle_internal.differing_customers(adopted entitle.adoption) RETURNS TABLE (source_key text, problem text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(w.source_key, c.source_key),
           CASE WHEN c.customer_id IS NULL THEN 'there is no customer for the row'
                WHEN w.source_key IS NULL THEN 'the customer of a row that is gone is active'
                ELSE 'the customer differs from the row' END
    FROM entitle_internal.wanted_customers(adopted, NULL) w
    FULL JOIN (SELECT * FROM entitle.customer c WHERE c.adoption_id = adopted.adoption_id) c ON c.source_key = w.source_key
    WHERE CASE WHEN c.customer_id IS NULL THEN true
               WHEN w.source_key IS NULL THEN c.status <> 'INAC'
               ELSE (c.brand_id, c.legal_name, c.trade_name, c.tax_id, c.country, c.address, c.contact_email, c.notes, c.status)
                    IS DISTINCT FROM (w.brand_id, w.legal_name, w.trade_name, w.tax_id, w.country, w.address, w.contact_email, w.notes, w.status) END
    $$;
COMMENT ON FUNCTION entitle_internal.differing_customers(entitle.adoption) IS 'Where customers differ from the rows of an adopted table';
REVOKE ALL ON FUNCTION entitle_internal.differing_customers(entitle.adoption) FROM PUBLIC;

CREATE FUNCTION entitle_internal.adopt_customers_steps(
    source regclass, key_column name, name_column name, brand_column name, active_when text, profile jsonb, on_conflict text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    words CONSTANT regtype[] := '{text,varchar,char,smallint,integer,bigint,numeric,uuid,anyenum}';
    fields CONSTANT text[] := '{legal_name,trade_name,tax_id,country,address,contact_email,notes}';
    declared entitle.adoption;
    unknown text;
BEGIN
    PERFORM entitle_internal.check_adoptable(source, 'entitle.adopt_customers'::regproc::regprocedure);
    IF key_column IS NULL THEN
        RAISE EXCEPTION 'no key column is given' USING ERRCODE = '22004', HINT = 'Give the column by which other tables name the customer.';
    END IF;
    PERFORM entitle_internal.check_protection_column(source, 'key_column', key_column, '{smallint,integer,bigint,uuid,text,varchar,anyenum}');
    IF jsonb_typeof(coalesce(profile, '{}')) <> 'object' THEN
        RAISE EXCEPTION 'profile is no object' USING ERRCODE = '22023', HINT = 'Give columns by name: {"legal_name": "company", "tax_id": "vat_number"}.';
    END IF;
    SELECT k INTO unknown FROM jsonb_object_keys(coalesce(profile, '{}')) AS k WHERE k <> ALL (fields) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'profile names "%", which customers have not', unknown
            USING ERRCODE = '22023', HINT = format('It may name %s.', array_to_string(fields, ', '));
    END IF;
    declared.source := source;
    declared.kind := 'customers';
    declared.key_columns := entitle_internal.adopted_key(source, key_column);
    declared.facts := ARRAY[coalesce(active_when, 'true'),
                            entitle_internal.column_fact(source, 'name_column', name_column, words),
                            entitle_internal.column_fact(source, 'brand_column', brand_column, '{smallint,integer,bigint,uuid,text,varchar,anyenum}')]
                      || ARRAY(SELECT entitle_internal.column_fact(source, 'profile', (profile ->> f)::name, words)
                               FROM unnest(fields) WITH ORDINALITY AS f (f, place) ORDER BY f.place);
    declared.options := jsonb_build_object('key_type', entitle_internal.key_type(source, key_column), 'brand_column', brand_column);
    declared.on_conflict := on_conflict;
    PERFORM entitle_internal.install_adoption(declared);
END
$$;
COMMENT ON FUNCTION entitle_internal.adopt_customers_steps(regclass, name, name, name, text, jsonb, text) IS 'What adopt_customers does';
REVOKE ALL ON FUNCTION entitle_internal.adopt_customers_steps(regclass, name, name, name, text, jsonb, text) FROM PUBLIC;

CREATE FUNCTION entitle.adopt_customers(
    source regclass,
    key_column name,
    name_column name DEFAULT NULL,
    brand_column name DEFAULT NULL,
    active_when text DEFAULT NULL,
    profile jsonb DEFAULT '{}',
    on_conflict text DEFAULT 'refuse') RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_run_steps';
COMMENT ON FUNCTION entitle.adopt_customers(regclass, name, name, name, text, jsonb, text) IS
    'Has the rows of an application''s table stand for customers, by their own key: ACTV while active_when holds, with what the profile says (R64, R65)'
    '. Raises 42501: the caller does not own the table; 22004, 22023: an argument is missing or wrong; 42703: no such column; 42804: a column has an unfit type; '
    '42809: no table that can be; 23505: a key is another customer''s';
REVOKE ALL ON FUNCTION entitle.adopt_customers(regclass, name, name, name, text, jsonb, text) FROM PUBLIC;
