-- A web shop that sells lamps to companies, as it stood before: uuid keys, soft deletes, staff roles in an array, logins by e-mail.
-- Its owner made the tables, and its web server connects as lamps_web.
CREATE ROLE lamps_owner;
CREATE ROLE lamps_web LOGIN;
CREATE SCHEMA lamps AUTHORIZATION lamps_owner;
SET ROLE lamps_owner;

CREATE TABLE lamps.person (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE,
    display_name text NOT NULL,
    staff_roles text[] NOT NULL DEFAULT '{}',
    deleted_at timestamptz
);
CREATE TABLE lamps.account (
    id uuid PRIMARY KEY,
    company text NOT NULL,
    vat_number text,
    deleted_at timestamptz
);
CREATE TABLE lamps.account_member (
    account_id uuid REFERENCES lamps.account ON DELETE CASCADE,
    person_id uuid REFERENCES lamps.person ON DELETE CASCADE,
    is_what text NOT NULL CHECK (is_what IN ('viewer', 'buyer', 'boss')),
    PRIMARY KEY (account_id, person_id)
);
CREATE TABLE lamps.purchase (
    id integer PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES lamps.account,
    placed_at timestamptz NOT NULL,
    total numeric(8,2) NOT NULL
);
CREATE TABLE lamps.purchase_line (
    purchase_id integer REFERENCES lamps.purchase ON DELETE CASCADE,
    line integer,
    lamp text NOT NULL,
    quantity integer NOT NULL,
    PRIMARY KEY (purchase_id, line)
);
CREATE TABLE lamps.lamp (
    name text PRIMARY KEY,
    watts integer NOT NULL
);

INSERT INTO lamps.person
SELECT md5(p.email)::uuid, p.email, p.name, p.roles::text[]
FROM (VALUES ('Iris@lamps.example', 'Iris', '{support}'), ('omar@lamps.example', 'Omar', '{support,sales}'), ('ken@lamps.example', 'Ken', '{}'),
             ('ada@birch.example', 'Ada', '{}'), ('bo@birch.example', 'Bo', '{}'), ('cleo@cedar.example', 'Cleo', '{}')) AS p (email, name, roles);
INSERT INTO lamps.account
SELECT md5(a.company)::uuid, a.company, a.vat FROM (VALUES ('Birch Hotels', 'B-11'), ('Cedar Books', NULL), ('Dune Studio', 'D-44')) AS a (company, vat);
INSERT INTO lamps.account_member
SELECT md5(m.company)::uuid, md5(m.email)::uuid, m.what
FROM (VALUES ('Birch Hotels', 'ada@birch.example', 'boss'), ('Birch Hotels', 'bo@birch.example', 'viewer'), ('Cedar Books', 'cleo@cedar.example', 'buyer')) AS m (company, email, what);
INSERT INTO lamps.lamp VALUES ('Reed', 40), ('Gull', 12), ('Moth', 7);
INSERT INTO lamps.purchase
SELECT i, md5((ARRAY['Birch Hotels', 'Cedar Books', 'Dune Studio'])[1 + i % 3])::uuid, '2026-01-01 10:00+00'::timestamptz + i * interval '3 days', 20 * i
FROM generate_series(1, 9) i;
INSERT INTO lamps.purchase_line SELECT i, l, (ARRAY['Reed', 'Gull', 'Moth'])[l], l + i FROM generate_series(1, 9) i, generate_series(1, 2) l;
GRANT USAGE ON SCHEMA lamps TO lamps_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lamps TO lamps_web;
RESET ROLE;
