-- What both faces of demo/report share: how parts of the page are written.
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset footer off
-- Whoever may create in a schema of the path could make a function or operator that fits better than PostgreSQL's own (S521).
SET search_path = pg_catalog, pg_temp;
SET client_min_messages = warning;
SET jit = off;

CREATE FUNCTION pg_temp.html(value text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT replace(replace(replace(replace(coalesce(value, ''), '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;') $$;
-- A cell that may be empty, one with a number, and a table.
CREATE FUNCTION pg_temp.cell(value text, class text DEFAULT '') RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT format('<td%s>%s</td>', CASE WHEN class <> '' THEN format(' class="%s"', class) ELSE '' END, pg_temp.html(value)) $$;
CREATE FUNCTION pg_temp.page_table(heads text[], body text, class text DEFAULT '') RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT format(E'<div class="wrap"><table class="%s"><thead><tr>%s</tr></thead><tbody>\n%s\n</tbody></table></div>', class,
                  (SELECT string_agg(format('<th scope="col">%s</th>', pg_temp.html(h)), '') FROM unnest(heads) AS h), body)
    $$;
