-- A line's key need not have the type of its document's: the document is the one that the foreign key means, in triggers and
-- explanations, too (R51), and none that has the same text (S252).
\ir error_of.psql
SELECT no_plan();

INSERT INTO entitle.customer (customer_id, legal_name, trade_name, tax_id) VALUES (101, 'a', 'a', 'a'), (102, 'b', 'b', 'b');
INSERT INTO entitle.app_user (user_id, login) VALUES (101, 'ext');
INSERT INTO entitle.external_access (customer_id, user_id, role, days_back) VALUES (101, 101, 'L20', NULL);
CREATE TABLE keyed (line_type text, document_type text, own text, theirs text);
INSERT INTO keyed VALUES ('char(5)', 'text', 'A1', 'B1'), ('varchar(5)', 'char(5)', 'A1', 'B1'), ('char(5)', 'varchar(9)', 'A1', 'B1'), ('date', 'timestamp', '2026-01-02', '2026-01-03'),
    ('smallint', 'bigint', '1', '2'), ('bigint', 'integer', '1', '2'), ('integer', 'numeric', '1', '2'), ('real', 'double precision', '0.5', '0.1');

CREATE FUNCTION tried(k keyed) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    label CONSTANT text := format('%s of %s: ', k.line_type, k.document_type);
BEGIN
    EXECUTE format('CREATE TABLE docs (id %s PRIMARY KEY, customer_id bigint)', k.document_type);
    EXECUTE format('CREATE TABLE lines (n integer PRIMARY KEY, id %s REFERENCES docs, item text, price integer)', k.line_type);
    EXECUTE format('INSERT INTO docs VALUES (%L, 101), (%L::%s, 102)', k.own, k.theirs, k.line_type);
    IF k.line_type = 'real' THEN
        INSERT INTO docs VALUES (0.1, 101); -- whose text is that of the other one's line
    END IF;
    EXECUTE format('INSERT INTO lines VALUES (1, %L, ''own'', 1), (2, %L, ''theirs'', 2)', k.own, k.theirs);
    PERFORM entitle.protect_table('docs', 'customer_id', min_level => 20, external_insert_level => 20, external_update_level => 20),
            entitle.protect_table('lines', parent => 'docs', external_insert_level => 20, external_update_level => 20, masked_columns => '{"price": 30}');
    GRANT SELECT (n, id, item), INSERT (n, id, item), UPDATE (n, id, item) ON lines TO test_app;
    GRANT SELECT ON docs TO test_app;
    GRANT SELECT, UPDATE ON lines_view TO test_app;
    RETURN NEXT is(ask('ext', 'SELECT string_agg(item, '' '') FROM lines'), 'own', label || 'a line shows with its document');
    RETURN NEXT is(error_of('ext', 'UPDATE lines SET item = ''x'''), '1', label || 'and is written where it shows');
    RETURN NEXT is(error_of('ext', 'UPDATE lines_view SET item = ''x'''), '1', label || 'through the view, too');
    RETURN NEXT is(error_of('ext', format('INSERT INTO lines (n, id) VALUES (3, %L)', k.own)), '1', label || 'another one is put there');
    RETURN NEXT alike(error_of('ext', format('UPDATE lines SET id = %L', k.theirs)), '42501%', label || 'none goes to a hidden document');
    RETURN NEXT is(ask('ext', 'SELECT string_agg(DISTINCT passed::text, '' '') FROM entitle.explain_row(''lines'', ''1'') WHERE gate = ''decision'''), 'true', label || 'it is explained as it shows');
    RETURN NEXT is(ask('ext', 'SELECT string_agg(gate || '' '' || passed, '' '') FROM entitle.explain_row(''lines'', ''2'')'),
                   ask('ext', 'SELECT string_agg(gate || '' '' || passed, '' '') FROM entitle.explain_row(''lines'', ''7'')'), 'S252: ' || label || 'a hidden one as if it were not there');
    PERFORM entitle.unprotect_table('lines'), entitle.unprotect_table('docs');
    DROP TABLE lines, docs;
END
$$;
SELECT tried(k) FROM keyed k;

SELECT * FROM finish();
ROLLBACK;
