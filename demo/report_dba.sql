-- The parts of the page that demo/report makes, each written to a file of the folder :folder. Changes nothing in the database.
\ir report_parts.sql

BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;

\warn 1 of 6: the findings of lint()
\o :folder/findings
SELECT CASE WHEN count(*) = 0 THEN '<p class="good">lint() finds nothing.</p>' ELSE
    pg_temp.page_table('{Severity,Object,Finding,Remedy}', string_agg(format(
        '<tr><td class="%s">%s</td><td><code>%s</code></td>%s<td><code>%s</code></td></tr>', f.severity, f.severity, pg_temp.html(f.object),
        pg_temp.cell(f.finding), pg_temp.html(f.remedy)), E'\n'))
    END
FROM entitle.lint() f;

\warn 2 of 6: roles by capability
\o :folder/roles
SELECT coalesce(string_agg(part, E'\n'), '<p>There is no role.</p>')
FROM (
    SELECT format('<p>Organization <b>%s</b></p>', pg_temp.html(o.name)) || pg_temp.page_table(
               'Capability'::text || (SELECT array_agg(r.name ORDER BY r.name) FROM entitle.role r WHERE r.organization_id = o.organization_id),
               (SELECT string_agg(line, E'\n' ORDER BY capability)
                FROM (SELECT m.capability,
                             format('<tr><th scope="row">%s</th>%s</tr>', pg_temp.html(m.capability),
                                    string_agg(CASE WHEN m.allowed THEN '<td class="yes">yes</td>' ELSE '<td class="no">&middot;</td>' END, '' ORDER BY m.role)) AS line
                      FROM entitle.permission_matrix(o.organization_id) m
                      GROUP BY m.capability) AS lines), 'matrix') AS part
    FROM entitle.organization o
    WHERE EXISTS (SELECT FROM entitle.role r WHERE r.organization_id = o.organization_id)
    ORDER BY o.organization_id) AS parts;

\warn 3 of 6: users and their roles
\o :folder/users
SELECT pg_temp.page_table('{Login,Name,Place,Role,Database role}', coalesce(string_agg(line, E'\n' ORDER BY login, place), ''))
FROM (SELECT u.login, coalesce('organization ' || o.name, 'brand ' || b.name) AS place,
             format('<tr><th scope="row"%s>%s</th>%s%s%s%s</tr>', CASE WHEN u.is_active THEN '' ELSE ' class="off"' END, pg_temp.html(u.login),
                    pg_temp.cell(u.full_name), pg_temp.cell(coalesce('organization ' || o.name, 'brand ' || b.name)),
                    pg_temp.cell(concat_ws(', ', CASE WHEN m.is_owner THEN 'owner' END, r.name || CASE WHEN r.is_active THEN '' ELSE ' (switched off)' END,
                                           CASE WHEN b.organization_id IS NULL AND b.brand_id IS NOT NULL THEN 'not restricted: the brand stands alone' END)),
                    pg_temp.cell(u.db_role::text)) AS line
      FROM entitle.app_user u
      JOIN entitle.membership m USING (user_id)
      LEFT JOIN entitle.organization o ON o.organization_id = m.organization_id
      LEFT JOIN entitle.brand b ON b.brand_id = m.brand_id
      LEFT JOIN entitle.role r ON r.role_id = m.role_id
      ORDER BY u.login LIMIT :rows) AS lines;

\warn 4 of 6: external access
\o :folder/access_note
SELECT format('%s grants%s.%s', to_char(count(*), 'FM999,999,999,999'),
              ': ' || (SELECT string_agg(format('%s %s', role, to_char(n, 'FM999,999,999,999')), ', ' ORDER BY role)
                       FROM (SELECT role, count(*) AS n FROM entitle.external_access GROUP BY role) AS by_role),
              CASE WHEN count(*) > :rows
                  THEN format(' The first %s by customer are listed; <code>entitle.customer_access(customer_id)</code> and <code>entitle.user_access(login)</code> tell the others.',
                              to_char(:rows, 'FM999,999,999,999')) END)
FROM entitle.external_access;
\o :folder/access
SELECT pg_temp.page_table('{Customer,Name,Login,Role,Level today,Days back,From,Until}', coalesce(string_agg(
    format('<tr><th scope="row">%s</th>%s%s%s%s%s%s%s</tr>', g.customer_id, pg_temp.cell(coalesce(c.trade_name, c.legal_name)), pg_temp.cell(u.login),
           pg_temp.cell(g.role), pg_temp.cell(entitle.user_access_level(g.user_id, g.customer_id)::text, 'n'),
           pg_temp.cell(coalesce(g.days_back::text, 'all'), 'n'), pg_temp.cell(g.valid_from::text), pg_temp.cell(g.valid_until::text)),
    E'\n' ORDER BY g.customer_id, u.login), ''))
FROM (SELECT * FROM entitle.external_access ORDER BY customer_id, user_id LIMIT :rows) g
JOIN entitle.app_user u USING (user_id)
JOIN entitle.customer c USING (customer_id);

\warn 5 of 6: protected tables
\o :folder/tables
SELECT pg_temp.page_table('{Table,Customer,Date,Brand,Shows by,Shows from,Insert,Update,Delete,Parts}', coalesce(string_agg(
    format('<tr><th scope="row"><code>%s</code></th>%s%s%s%s%s%s%s%s%s</tr>', pg_temp.html(p.relation::text), pg_temp.cell(p.customer_column::text),
           pg_temp.cell(p.date_column::text), pg_temp.cell(p.brand_column::text), pg_temp.cell(p.view_permission),
           pg_temp.cell(CASE WHEN p.customer_column IS NOT NULL THEN 'L' || p.min_level END),
           pg_temp.cell(concat_ws(' or ', p.insert_permission, 'L' || p.external_insert_level)),
           pg_temp.cell(concat_ws(' or ', p.update_permission, 'L' || p.external_update_level)),
           pg_temp.cell(p.delete_permission),
           pg_temp.cell((SELECT nullif(count(*) - 1, 0) FROM entitle_internal.protection_family(p.relation))::text, 'n')),
    E'\n' ORDER BY p.relation::text), ''))
FROM entitle.protected_tables p;

\warn 6 of 6: the head
\o :folder/title
SELECT pg_temp.html(current_database());
\o :folder/made
SELECT format('Made on %s by %s, PostgreSQL %s, entitle %s', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), pg_temp.html(current_user),
              current_setting('server_version'), (SELECT extversion FROM pg_extension WHERE extname = 'entitle'));
\o :folder/summary
SELECT string_agg(format('<li><b>%s</b>%s</li>', to_char(n, 'FM999,999,999,999'), what), E'\n')
FROM (VALUES ((SELECT count(*) FROM entitle.app_user), 'users'),
             ((SELECT count(*) FROM entitle.brand), 'brands'),
             ((SELECT count(*) FROM entitle.role), 'roles'),
             ((SELECT count(*) FROM entitle.customer), 'customers'),
             ((SELECT count(*) FROM entitle.external_access), 'external grants'),
             ((SELECT count(*) FROM entitle.protected_tables), 'protected tables')) AS v (n, what);
\o
COMMIT;
