-- An organization or brand that is switched off gives its members nothing, owners neither (R22, R24), at the next statement; switched on,
-- all is as before, for those who had no other place, too.
\ir setup.psql
SELECT no_plan();

INSERT INTO entitle.organization (organization_id, name) VALUES (500, 'five hundred');
INSERT INTO entitle.brand (brand_id, organization_id, name) VALUES (500, 500, 'one'), (501, 500, 'other'), (502, NULL, 'alone');
INSERT INTO entitle.brand_module (brand_id, module_key) SELECT b, module_key FROM entitle.module, generate_series(500, 502) b;
INSERT INTO entitle.role (role_id, organization_id, name) VALUES (500, 500, 'viewer');
INSERT INTO entitle.role_permission (role_id, permission_key) VALUES (500, 'customers.view'), (500, 'roles.manage');
INSERT INTO entitle.app_user (user_id, login) SELECT i, 'u' || i FROM generate_series(500, 503) i;
INSERT INTO entitle.membership (user_id, organization_id, brand_id, role_id, is_owner)
VALUES (500, 500, NULL, NULL, true), (501, 500, NULL, 500, false), (502, NULL, 500, 500, false), (503, NULL, 502, NULL, false);

-- Who has what: the brands of a permission, and what he owns or manages.
CREATE FUNCTION rights() RETURNS text LANGUAGE sql
    AS $$ SELECT string_agg(ask('u' || i, 'SELECT format(''%s %s'', entitle.permitted_brands(''customers.view''), entitle.managed_organizations())'), ', ' ORDER BY i) FROM generate_series(500, 503) i $$;
SELECT is(rights(), '{500,501} {500}, {500,501} {500}, {500} {}, {502} {}', 'an owner, a member, one of a brand, and one of a brand that stands alone');
UPDATE entitle.organization SET is_active = false WHERE organization_id = 500;
SELECT is(rights(), '{} {}, {} {}, {} {}, {502} {}', 'R22, R24: in an organization that is off nobody has a place');
SELECT is(ask('u500', 'SELECT cardinality(entitle.owned_organizations()) || '' '' || coalesce(entitle.current_brand_id()::text, ''none'')'), '0 none', 'nor owns it');
UPDATE entitle.organization SET is_active = true WHERE organization_id = 500;
SELECT is(rights(), '{500,501} {500}, {500,501} {500}, {500} {}, {502} {}', 'switched on, all is as before');
UPDATE entitle.brand SET is_active = false WHERE brand_id IN (500, 502);
SELECT is(rights(), '{501} {500}, {501} {500}, {} {}, {} {}', 'a brand that is off gives nothing, one that stands alone neither');
SELECT is((SELECT detail FROM entitle.explain_permission('customers.view', 'u502') WHERE NOT passed AND gate = 'membership'), 'the user''s brands are switched off',
          'R2: an explanation tells why');
SELECT is((SELECT detail FROM entitle.explain_permission('customers.view', 'u503', 502) WHERE NOT passed AND gate = 'membership'),
          'the user is no member of brand 502 nor of its organization, or that is switched off', 'R2: of a brand that is named, too');
SELECT is((SELECT detail FROM entitle.explain_permission('customers.view', 'u501', 500) WHERE NOT passed AND gate = 'membership'),
          'the user is no member of brand 500 nor of its organization', 'but not to whom no place is switched off');
UPDATE entitle.brand SET is_active = true WHERE brand_id IN (500, 502);
SELECT is(rights(), '{500,501} {500}, {500,501} {500}, {500} {}, {502} {}', 'until it is switched on');

SELECT * FROM finish();
ROLLBACK;
