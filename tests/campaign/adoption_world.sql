-- The world of adoption: an application's tables, each kind adopted, with cascades between them, accounts in two partitions and soft
-- deletes; deals that are protected; a role that writes the tables and knows nothing of entitle, and a pool's role that asks.
CREATE EXTENSION entitle;
DO $$
DECLARE
    shift CONSTANT integer := 12 - extract(hour FROM now() AT TIME ZONE 'UTC')::integer;
BEGIN
    -- Midnight in the business time zone is as far away as can be.
    EXECUTE format('ALTER DATABASE %I SET entitle.time_zone = %L', current_database(),
                   'Etc/GMT' || CASE WHEN shift > 0 THEN '-' ELSE '+' END || abs(shift));
    EXECUTE format('SET entitle.time_zone = %L', 'Etc/GMT' || CASE WHEN shift > 0 THEN '-' ELSE '+' END || abs(shift));
    EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''20ms''', current_database());
END
$$;
CREATE FUNCTION today() RETURNS date LANGUAGE sql STABLE AS
    $$ SELECT (now() AT TIME ZONE current_setting('entitle.time_zone'))::date $$;
CREATE TABLE person (id integer PRIMARY KEY, mail text, gone boolean NOT NULL DEFAULT false);
CREATE TABLE team (id text PRIMARY KEY, name text UNIQUE, closed boolean NOT NULL DEFAULT false);
CREATE TABLE store (id integer PRIMARY KEY, team text NOT NULL REFERENCES team ON UPDATE CASCADE ON DELETE CASCADE, town text,
    closed boolean NOT NULL DEFAULT false);
CREATE TABLE account (id integer, part integer CONSTRAINT account_part CHECK (part = id % 2), title text, state text,
    store integer REFERENCES store ON UPDATE CASCADE ON DELETE SET NULL, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE account_0 PARTITION OF account FOR VALUES IN (0);
CREATE TABLE account_1 (store integer, state text, title text, part integer NOT NULL CONSTRAINT account_part CHECK (part = id % 2), id integer NOT NULL);
ALTER TABLE account ATTACH PARTITION account_1 FOR VALUES IN (1);
CREATE TABLE post (id integer PRIMARY KEY, team text NOT NULL REFERENCES team ON UPDATE CASCADE ON DELETE CASCADE, title text, may text[],
    gone boolean NOT NULL DEFAULT false, UNIQUE (id, team), UNIQUE (team, title));
CREATE TABLE post_right (post integer REFERENCES post ON UPDATE CASCADE ON DELETE CASCADE, word text, PRIMARY KEY (post, word));
CREATE TABLE staff (no integer PRIMARY KEY, who integer REFERENCES person ON UPDATE CASCADE ON DELETE CASCADE,
    team text REFERENCES team ON UPDATE CASCADE ON DELETE CASCADE, post integer, boss boolean, away boolean NOT NULL DEFAULT false,
    FOREIGN KEY (post, team) REFERENCES post (id, team) ON UPDATE CASCADE ON DELETE CASCADE, UNIQUE NULLS NOT DISTINCT (who, team, post));
CREATE TABLE crew (no integer PRIMARY KEY, who integer REFERENCES person ON UPDATE CASCADE ON DELETE CASCADE,
    store integer REFERENCES store ON UPDATE CASCADE ON DELETE CASCADE, posts integer[], UNIQUE NULLS NOT DISTINCT (who, store));
CREATE TABLE seat (no integer PRIMARY KEY, account integer, part integer CHECK (part = account % 2),
    who integer REFERENCES person ON UPDATE CASCADE ON DELETE CASCADE, what text, days integer, until date,
    FOREIGN KEY (account, part) REFERENCES account (id, part) ON UPDATE CASCADE ON DELETE CASCADE, UNIQUE (account, who));
SELECT entitle.adopt_users('person', 'mail', active_when => 'NOT gone');
SELECT entitle.adopt_organizations('team', 'id', 'name', active_when => 'NOT closed');
SELECT entitle.adopt_brands('store', 'id', 'town', 'team', active_when => 'NOT closed');
SELECT entitle.adopt_customers('account', 'id', 'title', 'store', active_when => 'state = ''open''');
SELECT entitle.adopt_roles('post', 'id', 'title', 'team', 'may', active_when => 'NOT gone');
SELECT entitle.adopt_role_permissions('post_right', 'post', 'word');
SELECT entitle.adopt_memberships('staff', 'who', 'team', role_column => 'post', owner_when => 'boss', active_when => 'NOT away');
SELECT entitle.adopt_memberships('crew', 'who', brand_column => 'store', role_column => 'posts', on_conflict => 'report');
SELECT entitle.adopt_access('seat', 'account', 'who', level_column => 'what', levels => '{"see": "L10", "buy": "L30", "own": "L90"}',
    days_back_column => 'days', valid_until_column => 'until');

CREATE TABLE deal (id integer PRIMARY KEY, store integer, account integer, day date);
INSERT INTO deal SELECT i, 101 + i % 7, 1 + i * 5 % 11, today() - (ARRAY[0, 1, 7, 8, 30, 31, 400])[1 + i % 7] FROM generate_series(1, 80) AS i;
SELECT entitle.protect_table('deal', customer_column => 'account', date_column => 'day', brand_column => 'store', min_level => 20,
    view_permission => 'conversions.view');
CREATE ROLE adopt_writer LOGIN;
CREATE ROLE adopt_pool LOGIN;
GRANT ALL ON person, team, store, account, account_0, account_1, post, post_right, staff, crew, seat TO adopt_writer;
GRANT EXECUTE ON FUNCTION entitle.sign_in(text, boolean, text), entitle.sign_out(text) TO adopt_pool;
INSERT INTO entitle.sign_in_grant (db_role, login) VALUES ('adopt_pool', NULL);
GRANT SELECT ON deal TO adopt_pool;
CREATE INDEX ON deal (account);
CREATE INDEX ON deal (store);
