-- What an asker may not see, found by the naive rules for the protected tables and by what the asker's own SELECTs leave out for the
-- model's, and changes of it.
INSERT INTO naive.declared VALUES ('tickets', 'id', false, true, 'customers.view', NULL, NULL, NULL, 10, NULL, NULL);

CREATE TABLE naive.shown (name text, id bigint, PRIMARY KEY (name, id));   -- rows of protected tables
CREATE TABLE naive.masked (name text, id bigint, PRIMARY KEY (name, id));  -- rows that show without a column
CREATE TABLE naive.seen (name text, key text);                            -- what the model's tables showed

CREATE FUNCTION naive.look(usr bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM naive.refresh(usr, NULL, NULL);
    DELETE FROM naive.shown;
    DELETE FROM naive.masked;
    INSERT INTO naive.shown
    SELECT 'orders', order_id FROM naive.orders
    UNION ALL SELECT 'shipments', shipment_id FROM naive.shipments
    UNION ALL SELECT 'ledger', entry_id FROM naive.ledger
    UNION ALL SELECT 'visits', visit_id FROM naive.visits
    UNION ALL SELECT 'stock', stock_id FROM naive.stock
    UNION ALL SELECT 'deals', deal_id FROM naive.deals
    UNION ALL SELECT 'deal_items', item_id FROM naive.deal_items
    UNION ALL SELECT 'bill', bill_id FROM naive.bill
    UNION ALL SELECT 'bill_items', item_id FROM naive.bill_items
    UNION ALL SELECT 'contract', contract_id FROM naive.contract_view
    UNION ALL SELECT 'contract_item', item_id FROM naive.contract_item_view;
    INSERT INTO naive.shown
    SELECT 'tickets', ticket_id FROM rq.tickets t, naive.allowed a
    WHERE a.name = 'tickets' AND a.action = 'view'
      AND (a.everywhere
           OR EXISTS (SELECT FROM naive.reach r WHERE r.key_kind = 'id' AND r.key = t.customer_id::text AND r.level >= a.level
                        AND (r.first_day IS NULL OR t.opened >= r.first_day)));
    INSERT INTO naive.shown
    SELECT 'remarks', m.remark_id FROM rq.remarks m JOIN naive.shown s ON s.name = 'tickets' AND s.id = m.ticket_id;
    INSERT INTO naive.masked
    SELECT 'contract', t.contract_id FROM rq.contract t JOIN naive.shown s ON s.name = 'contract' AND s.id = t.contract_id
    WHERE NOT naive.unmasked('contract', t.customer_id, 30)
    UNION ALL
    SELECT 'contract_item', i.item_id FROM rq.contract_item i JOIN naive.shown s ON s.name = 'contract_item' AND s.id = i.item_id
    JOIN rq.contract t USING (contract_id)
    WHERE NOT naive.unmasked('contract', t.customer_id, 40)
    UNION ALL
    SELECT 'tickets', t.ticket_id FROM rq.tickets t JOIN naive.shown s ON s.name = 'tickets' AND s.id = t.ticket_id
    WHERE NOT naive.unmasked('tickets', t.customer_id, 40);
END
$$;

-- Everything of the protected tables that the asker may see, in one number a table.
CREATE FUNCTION naive.sight() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    sums text := '';
    one text;
    n text;
BEGIN
    FOREACH n IN ARRAY '{orders,shipments,ledger,visits,stock,deals,deal_items,bill,bill_items,contract_view,contract_item_view}'::text[] LOOP
        EXECUTE format('SELECT coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM naive.%I t', n) INTO one;
        sums := sums || n || ' ' || one || E'\n';
    END LOOP;
    SELECT string_agg(row(t.ticket_id, t.customer_id, t.opened, t.code, t.note, CASE WHEN m.id IS NULL THEN t.severity END)::text, ','
                      ORDER BY t.ticket_id) INTO one
    FROM rq.tickets t JOIN naive.shown s ON s.name = 'tickets' AND s.id = t.ticket_id
    LEFT JOIN naive.masked m ON m.name = 'tickets' AND m.id = t.ticket_id;
    sums := sums || coalesce(md5(one), '-');
    SELECT string_agg(m::text, ',' ORDER BY m.remark_id) INTO one
    FROM rq.remarks m JOIN naive.shown s ON s.name = 'remarks' AND s.id = m.remark_id;
    RETURN sums || coalesce(md5(one), '-');
END
$$;

CREATE FUNCTION naive.pick(VARIADIC choices anycompatiblearray) RETURNS anycompatible LANGUAGE sql VOLATILE AS
    $$ SELECT choices[1 + floor(random() * cardinality(choices))::integer] $$;
CREATE FUNCTION naive.hidden_number() RETURNS numeric LANGUAGE sql VOLATILE AS
    $$ SELECT naive.pick(13.5, 0, -1, 'NaN', 1e30, 50.5, 0.0001, 7, -13.5, 99999) $$;
CREATE FUNCTION naive.hidden_integer() RETURNS integer LANGUAGE sql VOLATILE AS
    $$ SELECT naive.pick(0, 13, -1, 32767, -32768, 7, 25) $$;
CREATE FUNCTION naive.hidden_text() RETURNS text LANGUAGE sql VOLATILE AS
    $$ SELECT naive.pick('hot 1', 'hot x', 'note x', '(', E'\\', '%', '', 'note 1', '{"a":', '-', NULL, 'hot %s') $$;
CREATE FUNCTION naive.hidden_long() RETURNS text LANGUAGE sql VOLATILE AS
    $$ SELECT CASE WHEN random() < 0.1 THEN (SELECT string_agg(md5(i::text || random()), '') FROM generate_series(1, 200) AS i)
                   ELSE naive.hidden_text() END $$;
CREATE FUNCTION naive.hidden_day() RETURNS date LANGUAGE sql VOLATILE AS
    $$ SELECT naive.pick('-infinity'::date, '2020-02-29', '1999-12-31', '4713-01-01 BC', '2001-01-01') $$;

-- One change of hidden rows of one table, as SQL. {hidden} is the condition that a row t does not show, {some} takes some.
CREATE TABLE naive.hidden_change (name text, id text, command text);
INSERT INTO naive.hidden_change VALUES
    ('orders', 'order_id', 'UPDATE rq.orders t SET amount = naive.hidden_number(), note = naive.hidden_long() WHERE {hidden} AND {some}'),
    ('orders', 'order_id', 'UPDATE rq.orders t SET order_date = naive.hidden_day() WHERE {hidden} AND {some}'),
    ('orders', 'order_id', 'DELETE FROM rq.orders t WHERE {hidden} AND {few}'),
    ('orders', 'order_id', 'INSERT INTO rq.orders SELECT t.order_id + 20000, t.brand_id, t.customer_id, t.order_date, naive.hidden_number(),
        naive.hidden_text() FROM rq.orders t WHERE {hidden} AND {few} ON CONFLICT DO NOTHING'),
    ('shipments', 'shipment_id', 'UPDATE rq.shipments t SET weight = naive.hidden_integer(), carrier = naive.hidden_text()
        WHERE {hidden} AND {some}'),
    ('shipments', 'shipment_id', 'DELETE FROM rq.shipments t WHERE {hidden} AND {few}'),
    ('ledger', 'entry_id', 'UPDATE rq.ledger t SET amount = naive.hidden_integer(), note = left(naive.hidden_text(), 20) WHERE {hidden} AND {some}'),
    ('ledger', 'entry_id', 'DELETE FROM rq.ledger t WHERE {hidden} AND {few}'),
    ('visits', 'visit_id', 'UPDATE rq.visits t SET place = naive.hidden_long() WHERE {hidden} AND {some}'),
    ('visits', 'visit_id', 'INSERT INTO rq.visits SELECT t.visit_id + 20000, t.customer_id, t.visited, naive.hidden_text() FROM rq.visits t
        WHERE {hidden} AND {few}'),
    ('stock', 'stock_id', 'UPDATE rq.stock t SET quantity = naive.hidden_integer() WHERE {hidden} AND {some}'),
    ('stock', 'stock_id', 'UPDATE rq.stock t SET customer_code = NULL WHERE {hidden} AND {few}'),
    ('deals', 'deal_id', 'UPDATE rq.deals t SET worth = naive.hidden_number(), title = naive.hidden_long() WHERE {hidden} AND {some}'),
    ('deal_items', 'item_id', 'UPDATE rq.deal_items t SET quantity = naive.hidden_number(), what = naive.hidden_text() WHERE {hidden} AND {some}'),
    ('deal_items', 'item_id', 'DELETE FROM rq.deal_items t WHERE {hidden} AND {few}'),
    ('bill', 'bill_id', 'UPDATE rq.bill t SET title = naive.hidden_text(), billed = naive.hidden_day() WHERE {hidden} AND {some}'),
    ('bill_items', 'item_id', 'UPDATE rq.bill_items t SET quantity = naive.hidden_number(), what = naive.hidden_long() WHERE {hidden} AND {some}'),
    ('contract', 'contract_id', 'UPDATE rq.contract t SET worth = naive.hidden_number(), title = naive.hidden_text() WHERE {hidden} AND {some}'),
    ('contract_item', 'item_id', 'UPDATE rq.contract_item t SET quantity = naive.hidden_number(), what = naive.hidden_text()
        WHERE {hidden} AND {some}'),
    ('tickets', 'ticket_id', 'UPDATE rq.tickets t SET severity = naive.hidden_integer(), note = naive.hidden_text() WHERE {hidden} AND {some}'),
    ('tickets', 'ticket_id', 'UPDATE rq.tickets t SET code = ''hot '' || ticket_id WHERE {hidden} AND {some}'),
    ('tickets', 'ticket_id', 'INSERT INTO rq.tickets SELECT t.ticket_id + 20000, t.customer_id, t.opened, ''hot'' || t.ticket_id, 0, ''hot''
        FROM rq.tickets t WHERE {hidden} AND {few} ON CONFLICT DO NOTHING'),
    ('remarks', 'remark_id', 'UPDATE rq.remarks t SET body = naive.hidden_text() WHERE {hidden} AND {some}'),
    ('remarks', 'remark_id', 'DELETE FROM rq.remarks t WHERE {hidden} AND {few}'),
    ('contract', 'contract_id', 'UPDATE rq.contract t SET worth = naive.hidden_number() WHERE {masked}'),
    ('contract_item', 'item_id', 'UPDATE rq.contract_item t SET quantity = naive.hidden_number() WHERE {masked}'),
    ('tickets', 'ticket_id', 'UPDATE rq.tickets t SET severity = naive.hidden_integer() WHERE {masked}');

-- Of the model: {asker} is the user. What naive.seen lists stays as it is, and so does all that the asker's own rights are made of.
CREATE TABLE naive.model_change (command text);
INSERT INTO naive.model_change VALUES
    ('DELETE FROM entitle.external_access e WHERE e.role <> ''L90'' AND e.user_id <> {asker} AND {some}
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''external_access'' AND s.key = e.customer_id || '' '' || e.user_id)'),
    ('UPDATE entitle.external_access e SET role = naive.pick(''L10'', ''L30'', ''L80''), days_back = naive.pick(0, 7, NULL),
      valid_from = NULL, valid_until = naive.pick(''2020-01-01''::date, NULL), notes = naive.hidden_text() WHERE e.role <> ''L90'' AND e.user_id <> {asker} AND {some}
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''external_access'' AND s.key = e.customer_id || '' '' || e.user_id)'),
    ('INSERT INTO entitle.external_access (customer_id, user_id, role, days_back, notes)
      SELECT c.customer_id, u.user_id, naive.pick(''L10'', ''L40'', ''L80'', ''L90''), naive.pick(0, 30, NULL), ''hot''
      FROM entitle.customer c, entitle.app_user u
      WHERE u.is_active AND u.user_id <> {asker} AND random() < 0.02
        AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''manages'' AND s.key = c.customer_id::text) ON CONFLICT DO NOTHING'),
    ('INSERT INTO entitle.app_user (login, full_name, is_active) VALUES (''hot '' || random(), ''hot'', random() < 0.5)'),
    ('UPDATE entitle.app_user u SET full_name = ''hot '' || random() WHERE u.user_id <> {asker} AND {some}
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''app_user'' AND s.key = u.user_id::text)'),
    ('UPDATE entitle.role r SET name = ''hot '' || role_id, is_active = random() < 0.5 WHERE {some}
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''role'' AND s.key = r.role_id::text)'),
    ('INSERT INTO entitle.role (organization_id, name) SELECT o.organization_id, ''hot '' || random() FROM entitle.organization o
      WHERE NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''organization'' AND s.key = o.organization_id::text)'),
    ('DELETE FROM entitle.role_permission p WHERE {some}
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''role'' AND s.key = p.role_id::text)'),
    ('INSERT INTO entitle.role_permission SELECT r.role_id, p.permission_key FROM entitle.role r, entitle.permission p WHERE {few}
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''role'' AND s.key = r.role_id::text) ON CONFLICT DO NOTHING'),
    ('DELETE FROM entitle.membership m WHERE NOT m.is_owner AND m.user_id <> {asker} AND {some}
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''membership'' AND s.key = m.membership_id::text)'),
    ('INSERT INTO entitle.membership (user_id, organization_id, role_id) SELECT u.user_id, r.organization_id, r.role_id
      FROM entitle.app_user u, entitle.role r WHERE u.user_id <> {asker} AND random() < 0.03 AND u.login LIKE ''hot%''
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''organization'' AND s.key = r.organization_id::text)'),
    ('UPDATE entitle.customer c SET legal_name = ''hot '' || random(), trade_name = ''hot'', tax_id = ''hot'', notes = naive.hidden_text(),
      contact_email = ''hot'', client_score = 13.5 WHERE {some}
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''customer'' AND s.key = c.customer_id::text)'),
    ('INSERT INTO entitle.customer (customer_id, brand_id, legal_name, trade_name, tax_id)
      SELECT 2000 + b.brand_id, b.brand_id, ''hot'', ''hot'', ''hot'' FROM entitle.brand b
      WHERE NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''brand'' AND s.key = b.brand_id::text) ON CONFLICT DO NOTHING'),
    ('UPDATE entitle.client_metric m SET multiplier = 13.5, name = ''hot '' || metric_id WHERE
      NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''organization'' AND s.key = m.organization_id::text)
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''client_metric'' AND s.key = m.metric_id::text)'),
    ('UPDATE entitle.customer_metric v SET value = 13.5 WHERE {some}
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''customer'' AND s.key = v.customer_id::text)'),
    ('UPDATE entitle.integration_link l SET external_id = ''hot '' || customer_id WHERE {some}
      AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''customer'' AND s.key = l.customer_id::text)'),
    ('INSERT INTO entitle.pending_invitation (user_id, inviter_id, customer_id, access_role, expires)
      SELECT u.user_id, 124, c.customer_id, ''L10'', current_date + 9 FROM entitle.app_user u, entitle.customer c
      WHERE u.user_id <> {asker} AND {asker} <> 124 AND random() < 0.01
        AND NOT EXISTS (SELECT FROM naive.seen s WHERE s.name = ''manages'' AND s.key = c.customer_id::text)');

-- Does one of them at random; returns the command that it ran.
CREATE FUNCTION naive.change_hidden(asker bigint, chance double precision) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    command text;
    done bigint;
BEGIN
    PERFORM setseed(chance);
    IF random() < 0.7 THEN
        SELECT replace(replace(h.command,
            '{hidden}', format('NOT EXISTS (SELECT FROM naive.shown s WHERE s.name = %L AND s.id = t.%I)', h.name, h.id)),
            '{masked}', format('EXISTS (SELECT FROM naive.masked s WHERE s.name = %L AND s.id = t.%I)', h.name, h.id))
            INTO command FROM naive.hidden_change h ORDER BY random() LIMIT 1;
    ELSE
        SELECT replace(m.command, '{asker}', coalesce(asker, -1)::text) INTO command FROM naive.model_change m ORDER BY random() LIMIT 1;
    END IF;
    command := replace(replace(command, '{some}', 'random() < ' || round(random()::numeric, 2)), '{few}', 'random() < 0.1');
    EXECUTE command;
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN CASE WHEN done > 0 THEN done || ' rows: ' || command END;
END
$$;
