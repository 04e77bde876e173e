-- A web shop that sells lamps to companies, as it stood before: uuid keys, branches, soft deletes, staff roles in an array, logins by e-mail.
-- Its owner made the tables, and its web server connects as lamps_web.
CREATE ROLE lamps_owner;
CREATE ROLE lamps_web LOGIN;
CREATE SCHEMA lamps AUTHORIZATION lamps_owner;
SET ROLE lamps_owner;

CREATE TABLE lamps.branch (
    id uuid PRIMARY KEY,
    town text NOT NULL
);
CREATE TABLE lamps.person (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE,
    display_name text NOT NULL,
    branch_id uuid REFERENCES lamps.branch,
    staff_roles text[] NOT NULL DEFAULT '{}',
    deleted_at timestamptz
);
CREATE TABLE lamps.account (
    id uuid PRIMARY KEY,
    company text NOT NULL,
    branch_id uuid NOT NULL REFERENCES lamps.branch,
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
    branch_id uuid NOT NULL REFERENCES lamps.branch,
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

INSERT INTO lamps.branch SELECT md5(t)::uuid, t FROM unnest('{Kiel,Ulm}'::text[]) AS t;
INSERT INTO lamps.person
SELECT md5(p.email)::uuid, p.email, p.name, md5(p.town)::uuid, p.roles::text[]
FROM (VALUES ('Iris@lamps.example', 'Iris', 'Kiel', '{support}'), ('omar@lamps.example', 'Omar', 'Ulm', '{support,sales}'), ('ken@lamps.example', 'Ken', 'Ulm', '{}'),
             ('ada@birch.example', 'Ada', NULL, '{}'), ('bo@birch.example', 'Bo', NULL, '{}'), ('cleo@cedar.example', 'Cleo', NULL, '{}')) AS p (email, name, town, roles);
INSERT INTO lamps.account
SELECT md5(a.company)::uuid, a.company, md5(a.town)::uuid, a.vat
FROM (VALUES ('Birch Hotels', 'Kiel', 'B-11'), ('Cedar Books', 'Kiel', NULL), ('Dune Studio', 'Ulm', 'D-44')) AS a (company, town, vat);
INSERT INTO lamps.account_member
SELECT md5(m.company)::uuid, md5(m.email)::uuid, m.what
FROM (VALUES ('Birch Hotels', 'ada@birch.example', 'boss'), ('Birch Hotels', 'bo@birch.example', 'viewer'), ('Cedar Books', 'cleo@cedar.example', 'buyer')) AS m (company, email, what);
INSERT INTO lamps.lamp VALUES ('Reed', 40), ('Gull', 12), ('Moth', 7);
INSERT INTO lamps.purchase
SELECT i, a.id, a.branch_id, '2026-01-01 10:00+00'::timestamptz + i * interval '3 days', 20 * i
FROM generate_series(1, 9) i JOIN lamps.account a ON a.company = (ARRAY['Birch Hotels', 'Cedar Books', 'Dune Studio'])[1 + i % 3]
ORDER BY i;
INSERT INTO lamps.purchase_line SELECT i, l, (ARRAY['Reed', 'Gull', 'Moth'])[l], l + i FROM generate_series(1, 9) i, generate_series(1, 2) l;
GRANT USAGE ON SCHEMA lamps TO lamps_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lamps TO lamps_web;
RESET ROLE;
