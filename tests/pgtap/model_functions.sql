-- Who may execute what, and what the planner may believe about it (S9, S20, S70).
\ir setup.psql
SELECT no_plan();

-- What PUBLIC may execute, complete: checks about oneself, what carries them in policies, and what a table's owner does with
-- rights of his own. Nothing here changes an identity or the model.
CREATE TEMP TABLE public_function (signature) AS VALUES
    -- identity
    ('acting_superuser()'),
    ('asking_role()'),
    ('definer_in_charge()'),
    ('current_brand_id()'),
    ('current_customer_id()'),
    ('current_login()'),
    ('current_user_id()'),
    ('use_brand(bigint)'),
    ('use_customer(bigint)'),
    -- permission
    ('allowed_capabilities(text,bigint)'),
    ('has_capability(text)'),
    ('has_capability(text,bigint)'),
    ('has_metric(text)'),
    ('has_metric(text,bigint)'),
    ('has_permission(text)'),
    ('has_permission(text,bigint)'),
    ('permitted_brands(text)'),
    ('user_has_permission(bigint,text,bigint)'),
    ('visible_metrics(bigint)'),
    -- access
    ('access_level(bigint)'),
    ('access_level(text)'),
    ('access_level(uuid)'),
    ('accessible_customer_codes(integer)'),
    ('accessible_customer_uuids(integer)'),
    ('accessible_customers(integer)'),
    ('days_back_filter(bigint,date)'),
    ('days_back_filter(bigint,timestamp with time zone)'),
    ('days_back_filter(bigint,timestamp without time zone)'),
    ('days_back_filter(text,date)'),
    ('days_back_filter(text,timestamp with time zone)'),
    ('days_back_filter(text,timestamp without time zone)'),
    ('days_back_filter(uuid,date)'),
    ('days_back_filter(uuid,timestamp with time zone)'),
    ('days_back_filter(uuid,timestamp without time zone)'),
    ('manages_access(bigint)'),
    ('user_access_level(bigint,bigint)'),
    -- score: recalc_scores looks at its caller itself
    ('can_score(bigint)'),
    ('sees_metrics(bigint)'),
    ('writes_metrics(bigint)'),
    ('recalc_scores()'),
    -- planner: what its conditions call
    ('accessible_customer(integer,integer)'),
    ('accessible_customer_keys(integer,anyelement)'),
    ('earliest_partition_date(integer)'),
    ('earliest_partition_timestamp(integer)'),
    ('earliest_partition_timestamptz(integer)'),
    ('earliest_visible_date(integer)'),
    ('earliest_visible_timestamp(integer)'),
    ('earliest_visible_timestamptz(integer)'),
    ('permitted_brand(text,integer)'),
    ('permitted_brand_key(text,integer,anyelement)'),
    ('permitted_brand_keys(text,anyelement)'),
    ('unlimited_customers(integer)'),
    -- log
    ('as_replica()'),
    ('restoring()'),
    ('log_shows(regclass,jsonb,jsonb)'),
    -- protection
    ('brand_row_allowed(text,"any",integer,"any")'),
    ('brand_row_allowed(text,"any",integer,"any","any")'),
    ('shared_row_allowed(text,integer,"any")'),
    ('shared_row_allowed(text,integer,"any","any")'),
    ('shared_brand_row_allowed(text,"any",integer,"any")'),
    ('shared_brand_row_allowed(text,"any",integer,"any","any")'),
    ('row_allowed(text,integer,"any")'),
    ('row_allowed(text,integer,"any","any")'),
    ('new_row_allowed(text,"any",integer,"any")'),
    ('new_row_allowed(text,"any",integer,"any","any")'),
    ('refuse_move()'),
    ('refuse_write()'),
    ('place_columns(protection)'),
    ('move_test(protection)'),
    ('check_protectable(regclass)'),
    ('check_protection(protection)'),
    ('check_protection_column(regclass,text,name,regtype[])'),
    ('check_protection_level(text,integer)'),
    ('check_unprotectable(regclass)'),
    ('forget_protection(regclass)'),
    ('install_protection(protection,regclass)'),
    ('install_triggers(protection,regclass)'),
    ('check_one_root(regclass,regclass)'),
    ('heir_without_key(regclass,oid)'),
    ('is_migrating(regclass)'),
    ('may_declare(regclass,regprocedure)'),
    ('protection_family(regclass)'),
    ('protection_test(protection,text,integer,text,boolean,boolean)'),
    ('record_protection(protection)'),
    ('remove_protection(regclass)'),
    -- privilege
    ('forget_privileges(regclass)'),
    ('grant_privilege(regclass,text,name[],name,boolean)'),
    ('grant_view(regclass,regclass)'),
    ('narrow_privileges(regclass,name[])'),
    ('put_back_privilege(protection_privilege)'),
    ('put_back_privileges(regclass,regclass)'),
    ('record_privileges(regclass)'),
    ('revoke_privilege(regclass,text,name)'),
    ('table_privileges(regclass)'),
    ('warn_of_lost_grants(regclass,regclass)'),
    -- parent
    ('action_allowed(protection,text,anyelement)'),
    ('check_parent(protection)'),
    ('declaration(regclass)'),
    ('document_prefix(protection,text)'),
    ('find_document(protection)'),
    ('find_parent_key(protection)'),
    ('joined_test(protection,text,text)'),
    ('lines_of(regclass)'),
    ('parent_join(protection,text)'),
    ('parent_links(protection,text)'),
    ('parent_keys(protection)'),
    ('keys_to_parent(oid,oid,name,name)'),
    ('refuse_line_write()'),
    ('row_condition(protection,text,text)'),
    -- mask
    ('check_masked_column(protection,text)'),
    ('check_masks(protection,protection)'),
    ('check_declared(protection,protection)'),
    ('check_line(protection,protection)'),
    ('claim_view(regclass)'),
    ('declared_now(protection)'),
    ('altered_declaration(protection,jsonb)'),
    ('column_default(regclass,integer,anyelement)'),
    ('describe_view(regclass,regclass)'),
    ('drop_view(regclass)'),
    ('find_view(regclass)'),
    ('full_view_query(protection)'),
    ('has_view(protection)'),
    ('install_masks(protection,jsonb)'),
    ('install_view(protection,jsonb)'),
    ('kept_declaration(protection)'),
    ('key_names(protection)'),
    ('mask_list(protection,text)'),
    ('mask_test(protection,integer,text)'),
    ('masked_names(protection)'),
    ('remark(text)'),
    ('mended_declaration(protection)'),
    ('has_default_name(regclass)'),
    ('record_view(regclass,regclass,jsonb)'),
    ('open_parts(regclass)'),
    ('record_part(regclass)'),
    ('refers_to_masked(oid)'),
    ('remaining_masks(protection)'),
    ('repeated_masks(protection,jsonb)'),
    ('repeated_declaration(protection)'),
    ('tested_columns(regclass)'),
    ('tested_link(protection)'),
    ('tested_key(protection)'),
    ('guarded_schemas()'),
    ('closed_parts(regclass)'),
    ('note_part(regclass)'),
    ('protect_part(regclass)'),
    ('protection_call(protection)'),
    ('brand_keys()'),
    ('customer_keys()'),
    ('check_seen_family(regclass)'),
    ('latest_family(regclass)'),
    ('protected_numbers()'),
    ('naming_columns(regclass,text)'),
    ('declared_tables()'),
    ('exception_of(regclass)'),
    ('planning_obstacle(regclass)'),
    ('planned_table(regclass,regclass[],protection)'),
    ('lines_keys(regclass,regclass[])'),
    ('planned_tables(text[])'),
    ('unnoted_tables()'),
    ('is_closed(regclass)'),
    ('reopened_tables()'),
    ('owns_table(regclass)'),
    ('note_closing(regclass)'),
    ('note_privileges(regclass)'),
    ('is_closing(regclass)'),
    ('take_privileges(regclass)'),
    ('note_closed(regclass)'),
    ('close_table(regclass)'),
    ('close_new_tables()'),
    ('rename_guards()'),
    ('may_guard(oid,regprocedure)'),
    ('find_schema(name,regprocedure)'),
    ('record_guard(name)'),
    ('open_table(guarded_table)'),
    ('forget_guard(name)'),
    ('record_exception(regclass,text)'),
    ('told_masks(regclass)'),
    ('traced_columns(regclass)'),
    ('trigger_bound(protection)'),
    ('view_columns(regclass,regclass)'),
    ('view_query(protection,text,smallint)'),
    ('view_relation(regclass)'),
    ('view_target(protection)'),
    ('warn_of_generated(protection)'),
    ('columns_of(pg_node_tree)'),
    ('base_type(oid)'),
    ('check_followed(regclass)'),
    ('early_move_test(protection)'),
    ('move_condition(protection)'),
    ('note_migration(regclass)'),
    ('masked_readers(regclass,name[])'),
    ('warn_of_readers(protection)'),
    ('unheld_policies(regclass)'),
    ('warn_of_policies(regclass)'),
    ('watching_types(regclass)'),
    ('warn_of_types(regclass)'),
    ('oracles(protection)'),
    ('warn_of_oracles(protection)'),
    ('write_view()'),
    -- write: with the rights of whoever calls, which for write_view is the table's owner
    ('check_move(regclass,anyelement,anyelement)'),
    ('check_moved_row(protection,regclass,anycompatible,anyelement,name[])'),
    ('check_action(protection,regclass,text,anyelement)'),
    ('check_unmasked(regclass,text,name[],text[])'),
    ('insert_row(protection,regclass,anyelement)'),
    ('key_condition(regclass,regclass)'),
    ('masked_row(protection,regclass,anyelement)'),
    ('renamed_declaration(regclass,regclass)'),
    ('run_write(regclass,text,anyelement,anyelement)'),
    ('refuse_hidden(regclass)'),
    ('update_row(protection,regclass,text,anycompatible,anyelement,anyelement)'),
    ('write_row(regclass,text,anyelement,anyelement)'),
    ('written_table(name,name,name)'),
    -- visibility
    ('can_link(bigint)'),
    ('customer_allowed(bigint,text)'),
    ('manages_user(bigint)'),
    ('own_brands()'),
    ('own_organizations()'),
    ('own_roles()'),
    ('held_roles()'),
    ('own_user()'),
    ('knows_author(regclass,text)'),
    ('managed_brands()'),
    ('managed_organizations()'),
    ('may_withdraw(pending_invitation)'),
    ('owned_brands()'),
    ('owned_organizations()'),
    -- explain: what the caller may know is decided inside
    ('explain_action(regclass,text,text,text)'),
    ('explain_capability(text,text,bigint)'),
    ('explain_metric(text,text,bigint)'),
    ('explain_new_row(regclass,jsonb,text,text)'),
    ('explain_permission(text,text,bigint)'),
    ('explain_row(regclass,text,text)'),
    ('explain_sign_in(text,name)'),
    -- report: as explain
    ('compare_roles(bigint,bigint)'),
    ('customer_access(bigint)'),
    ('customer_access(bigint,timestamp with time zone)'),
    ('permission_matrix(bigint)'),
    ('permission_matrix(bigint,bigint)'),
    ('explain_change(text)'),
    ('rights_digests()'),
    ('rights_of(bigint[])'),
    ('told_rights(bigint[])'),
    ('user_access(text)'),
    -- report mode: as protect_table; what writes the declarations looks at everything itself
    ('begin_report(protection)'),
    ('check_mask_level(text,text)'),
    ('check_reported(protection)'),
    ('check_unreported_lines(regclass)'),
    ('end_report(regclass)'),
    ('forget_report(regclass)'),
    ('record_report(protection)'),
    ('remove_report(regclass)'),
    ('reported_problem(protection)'),
    ('report_active(oid)'),
    ('report_condition(regclass)'),
    ('report_write()'),
    ('reported_declaration(regclass)'),
    ('reported_document(protection)'),
    ('reported_lines(regclass)'),
    ('reported_tables()'),
    -- adoption: as protect_table, whose caller owns the table; what writes the model looks at everything itself
    ('adopt_place(text,regclass,name,name,name,text,text)'),
    ('adopted_key(regclass,name)'),
    ('adoption_triggers(regclass)'),
    ('alters_rows(pg_ddl_command)'),
    ('check_adoptable(regclass,regprocedure)'),
    ('column_fact(regclass,text,name,regtype[])'),
    ('end_adoption(regclass)'),
    ('end_dropped_adoptions()'),
    ('follow_altered(regclass)'),
    ('follow_source()'),
    ('install_adoption(adoption)'),
    ('install_adoption_triggers(regclass)'),
    ('is_adoption_trigger(pg_trigger,smallint)'),
    ('key_type(regclass,name)'),
    ('list_of(regclass,text,name,regtype[])'),
    ('record_adoption(adoption)'),
    ('renew_adoptions(regclass)'),
    ('user_access(text,timestamp with time zone)');

SET LOCAL search_path = entitle, entitle_internal, public;
CREATE TEMP VIEW our_function AS
    SELECT p.*, p.oid::regprocedure::text AS signature
    FROM pg_proc p
    WHERE p.pronamespace IN ('entitle'::regnamespace, 'entitle_internal'::regnamespace);

SELECT set_eq(
    $$ SELECT f.signature FROM our_function f, aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) x
       WHERE x.grantee = 0 $$,
    'SELECT signature FROM public_function', 'S20: PUBLIC may execute these functions and no others');
SELECT is_empty(
    $$ SELECT f.signature, x.grantee::regrole FROM our_function f, aclexplode(f.proacl) x
       WHERE x.grantee NOT IN (0, f.proowner) OR x.is_grantable AND x.grantee <> f.proowner $$,
    'S20: nobody else has a privilege of his own');
SELECT is_empty(
    'SELECT signature FROM our_function WHERE proacl IS NULL', 'S20: no function is left to the default privileges');
SELECT is_empty(
    $$ SELECT signature FROM our_function
       WHERE proname IN ('sign_in', 'sign_out', 'protect_table', 'unprotect_table')
         AND has_function_privilege('test_app', oid, 'EXECUTE') $$,
    'an ordinary role neither signs in nor protects tables unless the DBA grants it');

-- Labels.
SELECT set_eq('SELECT signature FROM our_function WHERE proleakproof',
    $$ SELECT signature FROM public_function WHERE signature LIKE '%row\_allowed(%' $$,
    'S9: the row tests are leakproof, and nothing else is');
SELECT set_eq($$ SELECT signature FROM our_function WHERE provolatile = 'i' $$,
    ARRAY['check_mask_level(text,text)', 'check_protection_level(text,integer)', 'shipped_key(jsonb,text[])', 'without_person(jsonb,text)'],
    'S9: nothing that knows an identity or reads a table is immutable');
SELECT is_empty(
    $$ SELECT signature, provolatile, proparallel FROM our_function
       WHERE prorettype <> 'trigger'::regtype AND prorettype <> 'internal'::regtype
         AND NOT (provolatile IN ('s', 'i') AND proparallel = 's' OR provolatile = 'v' AND proparallel = 'u')
         -- each process of a parallel plan would leave out partitions by answers of its own
         AND NOT (provolatile = 's' AND proparallel = 'r'
                  AND signature ~ '^(accessible_customer|permitted_brand(_key)?|earliest_partition_[a-z]+)[(]')
         -- a worker does not know which functions its leader runs
         AND NOT (provolatile = 's' AND proparallel = 'r'
                  AND signature ~ '^(acting_superuser|find_schema|may_guard|owns_table|asking_role|check_adoptable|check_view_schema|may_forget|referenced_adoption|resolved_options|definer_in_charge|is_migrating|may_declare|may_protect|may_unprotect|check_may_protect|restoring|explain_[a-z_]+|user_at_hand|compare_roles|permission_matrix|(customer|user)_access|told_rights|rights_(of|digests))[(]')
         -- exception blocks make subtransactions, which a parallel plan may not
         AND NOT (provolatile = 's' AND proparallel = 'u'
                  AND signature ~ '^(lint|lint_adoptions|lint_extension|lint_oracles|lint_readers|lint_tables|expected_triggers|declaration_problem|verify_[a-z]+|expected_policies|is_condition|is_view|closed_parts|orphan_remedy|parent_problem|plan_protection|planned_tables?|planning_obstacle|relation_called|relation_name_in|reported_problem|view_remedy)[(]') $$,
    'S9: what reads is stable and parallel safe, what writes is volatile and parallel unsafe');
SELECT set_eq(
    $$ SELECT f.signature FROM our_function f JOIN public_function USING (signature) WHERE f.provolatile = 'v' $$,
    ARRAY['use_brand(bigint)', 'use_customer(bigint)', 'recalc_scores()', 'explain_change(text)', 'refuse_write()', 'refuse_move()', 'forget_protection(regclass)',
          'install_protection(protection,regclass)', 'install_triggers(protection,regclass)', 'record_protection(protection)', 'remove_protection(regclass)',
          -- what changes privileges or views, and what writes through those
          'forget_privileges(regclass)', 'grant_privilege(regclass,text,name[],name,boolean)', 'grant_view(regclass,regclass)',
          'narrow_privileges(regclass,name[])', 'put_back_privilege(protection_privilege)', 'put_back_privileges(regclass,regclass)',
          'record_privileges(regclass)', 'warn_of_lost_grants(regclass,regclass)', 'claim_view(regclass)', 'revoke_privilege(regclass,text,name)', 'refuse_line_write()',
          'column_default(regclass,integer,anyelement)', 'describe_view(regclass,regclass)', 'drop_view(regclass)', 'install_masks(protection,jsonb)', 'install_view(protection,jsonb)',
          'warn_of_policies(regclass)', 'warn_of_types(regclass)', 'record_view(regclass,regclass,jsonb)', 'record_part(regclass)', 'warn_of_generated(protection)', 'warn_of_readers(protection)', 'warn_of_oracles(protection)', 'note_migration(regclass)', 'refuse_hidden(regclass)', 'write_view()', 'insert_row(protection,regclass,anyelement)',
          'run_write(regclass,text,anyelement,anyelement)', 'update_row(protection,regclass,text,anycompatible,anyelement,anyelement)',
          'write_row(regclass,text,anyelement,anyelement)',
          'adopt_place(text,regclass,name,name,name,text,text)', 'end_adoption(regclass)', 'end_dropped_adoptions()', 'follow_altered(regclass)', 'follow_source()', 'install_adoption(adoption)', 'install_adoption_triggers(regclass)', 'record_adoption(adoption)', 'renew_adoptions(regclass)',
          -- what begins and ends report mode
          'begin_report(protection)', 'end_report(regclass)', 'forget_report(regclass)', 'record_report(protection)', 'remove_report(regclass)', 'report_write()',
          -- what closes tables of guarded schemas, and opens them
          'note_part(regclass)', 'protect_part(regclass)', 'close_new_tables()', 'close_table(regclass)', 'forget_guard(name)', 'note_closed(regclass)', 'note_closing(regclass)', 'note_privileges(regclass)',
          'open_table(guarded_table)', 'record_exception(regclass,text)', 'record_guard(name)', 'rename_guards()', 'take_privileges(regclass)'],
    'S9: of what PUBLIC may execute, these are volatile');
SELECT is_empty(
    $$ SELECT f.signature FROM our_function f JOIN public_function USING (signature)
       JOIN pg_language l ON l.oid = f.prolang
       WHERE l.lanname = 'c' AND f.proisstrict $$,
    'a NULL argument reaches the check, which denies');
SELECT is_empty(
    $$ SELECT f.signature FROM our_function f JOIN pg_language l ON l.oid = f.prolang
       WHERE l.lanname NOT IN ('c', 'internal')
         -- written so that the library knows those that lend rights (S208)
         AND 'search_path=pg_catalog, pg_temp' || CASE WHEN f.prosecdef AND f.prorettype <> 'trigger'::regtype THEN ', pg_temp' ELSE '' END
             <> ALL (coalesce(f.proconfig, '{}')) $$,
    'S70, S208: functions in SQL and PL/pgSQL pin their search_path');

-- As a session reads it that has standard_conforming_strings off.
SELECT is_empty(
    $$ SELECT f.signature FROM our_function f JOIN pg_language l ON l.oid = f.prolang
       WHERE l.lanname NOT IN ('c', 'internal') AND 'standard_conforming_strings=on' <> ALL (coalesce(f.proconfig, '{}'))
         AND f.proname NOT LIKE 'lint\_%' AND f.proname <> 'inventory' -- called by lint, which pins it
         AND regexp_replace(f.prosrc, 'E''[^'']*''', '', 'g') LIKE '%\\%' $$,
    'S204: a backslash stands in E strings alone');

-- What runs with the owner's rights, complete.
SELECT set_eq('SELECT proname FROM our_function WHERE prosecdef', ARRAY[
    'apply_removals', 'check_home', 'check_prerequisite',
    'claim_view', 'customer_allowed', 'deactivate_customer', 'declaration', 'demand_free', 'find_view', 'forget_privileges', 'forget_protection',
    'grant_access', 'has_default_name', 'lines_of', 'log_shows',
    'unheld_policies', 'mark_change', 'mark_removal', 'open_parts', 'own_roles', 'reactivate_customer',
    'recalc_scores', 'record_part', 'record_privileges', 'record_protection', 'record_removal', 'record_view', 'remaining_masks', 'revoke_access',
    'set_metric_value', 'skip_known_removal', 'told_masks', 'told_rights', 'traced_columns', 'view_relation',
    'compare_roles', 'customer_access', 'explain_sign_in', 'permission_matrix', 'user_access',
    'accept_invitation', 'add_member', 'add_user', 'create_role', 'deactivate_user', 'drop_role', 'end_invitations', 'invite_user', 'knows_author',
    'reactivate_user', 'remove_member', 'set_role', 'take_invitation', 'withdraw_invitation',
    'end_adoption', 'end_dropped_adoptions', 'follow_altered', 'follow_source', 'keep_adopted', 'keep_adoption', 'record_adoption', 'renew_adoptions', 'sync_adopted', 'verify_adoption',
    'closed_parts', 'brand_keys', 'customer_keys', 'note_part', 'declared_tables', 'exception_of', 'forget_guard', 'guarded_schemas', 'is_closing', 'note_closed', 'note_closing', 'note_privileges', 'record_exception', 'record_guard',
    'rename_guards', 'reopened_tables', 'unnoted_tables',
    'forget_report', 'protection_report', 'record_report', 'reported_declaration', 'reported_lines', 'reported_tables',
    'verify_protection', 'lint']::name[],
    'these functions are SECURITY DEFINER');

-- The interface: names, arguments and defaults an application relies on.
SELECT is(pg_get_function_arguments(oid), arguments, format('%s takes what the interface says', name))
FROM (VALUES
    ('sign_in', 'login text, session_wide boolean DEFAULT false, seal text DEFAULT NULL::text'),
    ('sign_out', 'seal text DEFAULT NULL::text'),
    ('use_brand', 'brand_id bigint'),
    ('use_customer', 'customer_id bigint'),
    ('visible_metrics', 'brand_id bigint DEFAULT NULL::bigint'),
    ('permitted_brands', 'permission text'),
    ('allowed_capabilities', 'section text, brand_id bigint DEFAULT NULL::bigint'),
    ('accessible_customers', 'min_level integer DEFAULT 10'),
    ('can_score', 'customer_id bigint'),
    ('user_has_permission', 'user_id bigint, permission text, brand_id bigint'),
    ('user_access_level', 'user_id bigint, customer_id bigint'),
    ('explain_permission', 'permission text, login text DEFAULT NULL::text, brand_id bigint DEFAULT NULL::bigint'),
    ('explain_row', 'relation regclass, key text, login text DEFAULT NULL::text'),
    ('unprotect_table', 'relation regclass'),
    ('adopt_users', 'source regclass, login_column name, key_column name DEFAULT NULL::name, name_column name DEFAULT NULL::name,'
     ' active_when text DEFAULT NULL::text, fold_case boolean DEFAULT true, on_conflict text DEFAULT ''refuse''::text'),
    ('adopt_customers', 'source regclass, key_column name, name_column name DEFAULT NULL::name, brand_column name DEFAULT NULL::name,'
     ' active_when text DEFAULT NULL::text, profile jsonb DEFAULT ''{}''::jsonb, on_conflict text DEFAULT ''refuse''::text'),
    ('adopt_access', 'source regclass, customer_column name, user_column name, level text DEFAULT ''L30''::text, level_column name DEFAULT NULL::name,'
     ' levels jsonb DEFAULT ''{}''::jsonb, days_back integer DEFAULT NULL::integer, days_back_column name DEFAULT NULL::name,'
     ' valid_from_column name DEFAULT NULL::name, valid_until_column name DEFAULT NULL::name, active_when text DEFAULT NULL::text, on_conflict text DEFAULT ''refuse''::text'),
    ('adopt_organizations', 'source regclass, key_column name, name_column name, active_when text DEFAULT NULL::text, on_conflict text DEFAULT ''refuse''::text'),
    ('adopt_brands', 'source regclass, key_column name, name_column name, organization_column name DEFAULT NULL::name, active_when text DEFAULT NULL::text,'
     ' on_conflict text DEFAULT ''refuse''::text'),
    ('adopt_roles', 'source regclass, key_column name, name_column name, organization_column name DEFAULT NULL::name, permissions_column name DEFAULT NULL::name,'
     ' active_when text DEFAULT NULL::text, on_conflict text DEFAULT ''refuse''::text'),
    ('adopt_role_permissions', 'source regclass, role_column name, permission_column name, active_when text DEFAULT NULL::text, on_conflict text DEFAULT ''refuse''::text'),
    ('adopt_memberships', 'source regclass, user_column name, organization_column name DEFAULT NULL::name, brand_column name DEFAULT NULL::name,'
     ' role_column name DEFAULT NULL::name, owner_when text DEFAULT NULL::text, active_when text DEFAULT NULL::text, on_conflict text DEFAULT ''refuse''::text'),
    ('sync_adopted', 'source regclass DEFAULT NULL::regclass'),
    ('forget_adopted', 'source regclass'),
    ('create_role', 'name text, permissions text[] DEFAULT ''{}''::text[], metrics text[] DEFAULT ''{}''::text[], organization_id bigint DEFAULT NULL::bigint'),
    ('set_role', 'role_id bigint, permissions text[], metrics text[]'),
    ('drop_role', 'role_id bigint'),
    ('add_user', 'login text, full_name text DEFAULT NULL::text'),
    ('deactivate_user', 'login text'),
    ('reactivate_user', 'login text'),
    ('add_member', 'login text, role text DEFAULT NULL::text, organization_id bigint DEFAULT NULL::bigint, brand_id bigint DEFAULT NULL::bigint, is_owner boolean DEFAULT false'),
    ('remove_member', 'membership_id bigint'),
    ('invite_user', 'login text, role text DEFAULT NULL::text, organization_id bigint DEFAULT NULL::bigint, brand_id bigint DEFAULT NULL::bigint,'
     ' customer_id bigint DEFAULT NULL::bigint, access_role text DEFAULT NULL::text, days_back integer DEFAULT 30, expires date DEFAULT NULL::date'),
    ('accept_invitation', 'invitation_id bigint'),
    ('withdraw_invitation', 'invitation_id bigint'),
    ('protect_table',
     'relation regclass, customer_column name DEFAULT NULL::name, date_column name DEFAULT NULL::name,'
     ' brand_column name DEFAULT NULL::name, min_level integer DEFAULT 10, view_permission text DEFAULT NULL::text,'
     ' insert_permission text DEFAULT NULL::text, update_permission text DEFAULT NULL::text,'
     ' delete_permission text DEFAULT NULL::text, external_insert_level integer DEFAULT NULL::integer,'
     ' external_update_level integer DEFAULT NULL::integer, masked_columns jsonb DEFAULT ''{}''::jsonb,'
     ' view_name text DEFAULT NULL::text, parent regclass DEFAULT NULL::regclass, external_delete_level integer DEFAULT NULL::integer,'
     ' shared_rows boolean DEFAULT false, parent_key name DEFAULT NULL::name, mode text DEFAULT ''enforce''::text'),
    ('protection_report', 'since timestamp with time zone DEFAULT NULL::timestamp with time zone'),
    ('prune_report', 'before timestamp with time zone')
) AS i (name, arguments)
JOIN our_function f ON f.proname = i.name;
SELECT is(pg_get_function_result('entitle.recalc_scores()'::regprocedure), 'TABLE(recalculated bigint, changed bigint)',
          'recalc_scores gives what the interface says');

SELECT * FROM finish();
ROLLBACK;
