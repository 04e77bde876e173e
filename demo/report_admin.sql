-- The parts of the page that demo/report makes for who manages an organization: what the user with the login :login may know, asked as
-- an application asks. Changes nothing in the database: a draft change, :change, is taken back.
\ir report_parts.sql

BEGIN ISOLATION LEVEL REPEATABLE READ;
-- A draft change may have been written by whom the page is for. Sealed, it signs nobody else in, and a superuser's connection it could make
-- a superuser's again by RESET ROLE (S507).
SELECT :'change' <> '' AND rolsuper AS is_escapable FROM pg_roles WHERE rolname = session_user \gset
\if :is_escapable
DO $$ BEGIN RAISE EXCEPTION 'a draft change is not tried in a superuser''s session' USING ERRCODE = '42501', HINT = 'Connect as the application''s role, as in -- -U ROLE.'; END $$;
\endif
SELECT gen_random_uuid() AS seal \gset
SELECT entitle.sign_in(:'login', seal => :'seal') \g /dev/null
SELECT :'role' <> '' AS has_role \gset
\if :has_role
SET LOCAL ROLE :"role";
\endif
SELECT rolsuper OR rolbypassrls AS sees_all FROM pg_roles WHERE rolname = current_user \gset
\if :sees_all
DO $$ BEGIN RAISE EXCEPTION 'no page for role "%"', current_user USING ERRCODE = '42501', HINT = 'Name the application''s role with -r.'; END $$;
\endif

-- What the role may not read is told in its place.
CREATE FUNCTION pg_temp.unreadable(relation text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT format('<p>The role %s has no SELECT on <code>%s</code>.</p>', pg_temp.html(current_user), relation)
    WHERE NOT has_table_privilege(relation, 'SELECT')
    $$;
CREATE FUNCTION pg_temp.place(organization_id bigint, brand_id bigint) RETURNS text
    LANGUAGE sql STABLE
    AS $$ SELECT CASE WHEN brand_id IS NOT NULL THEN 'brand ' || brand_id ELSE 'organization ' || organization_id END $$;

CREATE FUNCTION pg_temp.run(statements text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE statements; END $$;

-- Organizations that one manages whole, and those of the brands that one manages.
SELECT coalesce(array_agg(DISTINCT r.organization_id ORDER BY r.organization_id), '{}') AS organizations
FROM entitle.role r
WHERE r.organization_id = ANY (entitle.managed_organizations())
   OR EXISTS (SELECT FROM entitle.permission_matrix(r.organization_id)) \gset
SELECT coalesce(jsonb_agg(jsonb_build_array(o, m.role, m.capability) ORDER BY o, m.role, m.capability), '[]') AS before
FROM unnest(:'organizations'::bigint[]) AS o, entitle.permission_matrix(o) m WHERE m.allowed \gset

\warn 1 of 6: the draft change
\o :folder/change
SELECT :'change' <> '' AS has_change \gset
\if :has_change
SELECT pg_temp.page_table('{Login,Kind,Place,Right,Before,After}', coalesce(string_agg(format(
    '<tr><th scope="row">%s</th>%s%s%s%s%s</tr>', pg_temp.html(c.login), pg_temp.cell(c.kind), pg_temp.cell(c.place), pg_temp.cell(c.key),
    pg_temp.cell(c.before, CASE WHEN c.after IS NULL THEN 'loss' ELSE '' END), pg_temp.cell(c.after, CASE WHEN c.before IS NULL THEN 'gain' ELSE '' END)),
    E'\n'), '<tr><td colspan="6">Nobody whom you manage would gain or lose anything.</td></tr>'))
FROM entitle.explain_change(:'change') c;
\o /dev/null
SAVEPOINT draft;
SELECT pg_temp.run(:'change');
\o
SELECT coalesce(jsonb_agg(jsonb_build_array(o, m.role, m.capability) ORDER BY o, m.role, m.capability), '[]') AS after
FROM unnest(:'organizations'::bigint[]) AS o, entitle.permission_matrix(o) m WHERE m.allowed \gset
ROLLBACK TO SAVEPOINT draft;
\o :folder/change_roles
SELECT pg_temp.page_table('{Role,Capability,Would be}', coalesce(string_agg(format(
    '<tr><th scope="row">%s</th>%s%s</tr>', pg_temp.html(r.role), pg_temp.cell(r.capability), CASE WHEN r.gained THEN '<td class="gain">gained</td>' ELSE '<td class="loss">lost</td>' END),
    E'\n' ORDER BY r.role, r.capability), '<tr><td colspan="3">No role would open or close anything.</td></tr>'))
FROM (SELECT coalesce(b.e, a.e) ->> 1 AS role, coalesce(b.e, a.e) ->> 2 AS capability, b.e IS NULL AS gained
      FROM jsonb_array_elements(:'before') AS b (e)
      FULL JOIN jsonb_array_elements(:'after') AS a (e) ON a.e = b.e
      WHERE a.e IS NULL OR b.e IS NULL) r;
\o
\else
SELECT '<p>None was given: <code>demo/report -l LOGIN -c FILE</code> tries the statements of a file.</p>';
\o :folder/change_roles
\o
\endif

\warn 2 of 6: roles by capability
\o :folder/roles
SELECT coalesce(string_agg(part, E'\n' ORDER BY o), '<p>You manage no organization.</p>')
FROM (SELECT o, format('<p>Organization <b>%s</b></p>', pg_temp.html(coalesce((SELECT g.name FROM entitle.organization g WHERE g.organization_id = o), o::text))) || pg_temp.page_table(
               'Capability'::text || (SELECT array_agg(DISTINCT m.role ORDER BY m.role) FROM entitle.permission_matrix(o) m),
               (SELECT string_agg(line, E'\n' ORDER BY capability)
                FROM (SELECT m.capability,
                             format('<tr><th scope="row">%s</th>%s</tr>', pg_temp.html(m.capability),
                                    string_agg(CASE WHEN m.allowed THEN '<td class="yes">yes</td>' ELSE '<td class="no">&middot;</td>' END, '' ORDER BY m.role)) AS line
                      FROM entitle.permission_matrix(o) m
                      GROUP BY m.capability) AS lines), 'matrix') AS part
      FROM unnest(:'organizations'::bigint[]) AS o) AS parts;

\warn 3 of 6: members
\o :folder/members
SELECT coalesce(pg_temp.unreadable('entitle.membership'), pg_temp.unreadable('entitle.app_user')) IS NULL AS may_read \gset
\if :may_read
SELECT pg_temp.page_table('{Login,Name,Place,Role}', coalesce(string_agg(line, E'\n' ORDER BY login, place), ''))
FROM (SELECT u.login, pg_temp.place(m.organization_id, m.brand_id) AS place,
             format('<tr><th scope="row"%s>%s</th>%s%s%s</tr>', CASE WHEN u.is_active THEN '' ELSE ' class="off"' END, pg_temp.html(u.login),
                    pg_temp.cell(u.full_name), pg_temp.cell(pg_temp.place(m.organization_id, m.brand_id)),
                    pg_temp.cell(concat_ws(', ', CASE WHEN m.is_owner THEN 'owner' END, r.name || CASE WHEN r.is_active THEN '' ELSE ' (switched off)' END))) AS line
      FROM entitle.membership m
      JOIN entitle.app_user u USING (user_id)
      LEFT JOIN entitle.role r USING (role_id)
      WHERE m.organization_id = ANY (entitle.managed_organizations()) OR m.brand_id = ANY (entitle.managed_brands())
      ORDER BY u.login LIMIT :rows) AS lines;
\else
SELECT coalesce(pg_temp.unreadable('entitle.membership'), pg_temp.unreadable('entitle.app_user'));
\endif

\warn 4 of 6: external access
\o :folder/access
SELECT coalesce(pg_temp.unreadable('entitle.external_access'), pg_temp.unreadable('entitle.app_user'), pg_temp.unreadable('entitle.customer')) IS NULL AS may_read \gset
\if :may_read
SELECT pg_temp.page_table('{Customer,Name,Login,Role,Level today,Days back,From,Until}', coalesce(string_agg(
    format('<tr><th scope="row">%s</th>%s%s%s%s%s%s%s</tr>', g.customer_id, pg_temp.cell(coalesce(c.trade_name, c.legal_name)), pg_temp.cell(u.login),
           pg_temp.cell(g.role), pg_temp.cell(entitle.user_access_level(g.user_id, g.customer_id)::text, 'n'),
           pg_temp.cell(coalesce(g.days_back::text, 'all'), 'n'), pg_temp.cell(g.valid_from::text), pg_temp.cell(g.valid_until::text)),
    E'\n' ORDER BY g.customer_id, u.login), ''))
FROM (SELECT * FROM entitle.external_access e WHERE entitle.manages_access(e.customer_id) ORDER BY customer_id, user_id LIMIT :rows) g
JOIN entitle.app_user u USING (user_id)
LEFT JOIN entitle.customer c USING (customer_id);
\else
SELECT coalesce(pg_temp.unreadable('entitle.external_access'), pg_temp.unreadable('entitle.app_user'), pg_temp.unreadable('entitle.customer'));
\endif

\warn 5 of 6: invitations
\o :folder/invitations
SELECT pg_temp.unreadable('entitle.invitation') IS NULL AS may_read \gset
\if :may_read
SELECT CASE WHEN count(*) = 0 THEN '<p class="good">No invitation is open.</p>' ELSE
    pg_temp.page_table('{Login,Place or customer,Role,Days back,Open until}', string_agg(format(
        '<tr><th scope="row">%s</th>%s%s%s%s</tr>', pg_temp.html(i.login),
        pg_temp.cell(coalesce('customer ' || i.customer_id, pg_temp.place(i.organization_id, i.brand_id))),
        pg_temp.cell(concat_ws(', ', i.role, i.access_role)), pg_temp.cell(i.days_back::text, 'n'), pg_temp.cell(i.expires::text)), E'\n' ORDER BY i.login))
    END
FROM entitle.invitation i;
\else
SELECT pg_temp.unreadable('entitle.invitation');
\endif

\warn 6 of 6: the latest changes, and the head
\o :folder/log
SELECT pg_temp.unreadable('entitle.change_log') IS NULL AS may_read \gset
\if :may_read
SELECT CASE WHEN count(*) = 0 THEN '<p>Nothing is in the log.</p>' ELSE
    pg_temp.page_table('{When,Who,Table,Action,Before,After}', string_agg(format(
        '<tr><th scope="row">%s</th>%s<td><code>%s</code></td>%s<td><code>%s</code></td><td><code>%s</code></td></tr>',
        to_char(l.changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), pg_temp.cell(l.actor_login), pg_temp.html(l.relation::text),
        pg_temp.cell(l.action), pg_temp.html(l.old_row::text), pg_temp.html(l.new_row::text)), E'\n' ORDER BY l.change_id DESC))
    END
FROM (SELECT * FROM entitle.change_log ORDER BY change_id DESC LIMIT 50) l;
\else
SELECT pg_temp.unreadable('entitle.change_log');
\endif
\o :folder/title
SELECT pg_temp.html(current_database());
\o :folder/login
SELECT pg_temp.html(entitle.current_login());
\o :folder/made
SELECT format('Made on %s as role %s', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), pg_temp.html(current_user));
\o :folder/summary
SELECT format('<li><b>%s</b>organizations</li><li><b>%s</b>roles</li>', cardinality(:'organizations'::bigint[]),
              (SELECT count(*) FROM entitle.role r WHERE r.organization_id = ANY (:'organizations'::bigint[])));
\o
ROLLBACK;
