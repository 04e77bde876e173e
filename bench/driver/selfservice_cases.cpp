// Self-service with a million users: an owner lists the members of his organization, asks for its
// permission matrix, and makes somebody a member; beside the same by hand. In a database of its
// own. By hand is a role without row-level security that names the organization itself; a member is
// added by hand by a function that asks whether the caller owns the organization, finds user and
// role by name, and writes a row of a log.
#include "bench.hpp"

namespace bench {

namespace {

constexpr const char *kDatabase = "bench_selfservice";
constexpr int kMembers = 1000; // of an organization
constexpr int kAdded = 100;    // in a transaction that is undone

// Triggers sleep while the data is made: they would only make it slower.
constexpr const char *kTriggers = R"sql(
    CREATE TABLE public.switched_off AS
    SELECT tgrelid::regclass AS relation, tgname, tgenabled FROM pg_trigger
    WHERE NOT tgisinternal AND tgenabled IN ('A', 'O')
      AND tgrelid IN ('entitle.app_user'::regclass, 'entitle.membership'::regclass, 'entitle.role'::regclass, 'entitle.role_permission'::regclass);
    CREATE PROCEDURE public.set_triggers(is_on boolean) LANGUAGE plpgsql AS $$
    DECLARE
        found record;
    BEGIN
        FOR found IN SELECT * FROM public.switched_off LOOP
            EXECUTE format('ALTER TABLE %s %s TRIGGER %I', found.relation,
                           CASE WHEN NOT is_on THEN 'DISABLE' WHEN found.tgenabled = 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, found.tgname);
        END LOOP;
    END $$)sql";

constexpr const char *kByHand = R"sql(
    CREATE SCHEMA hand;
    CREATE TABLE hand.membership (
        membership_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint NOT NULL REFERENCES entitle.app_user,
        organization_id bigint NOT NULL REFERENCES entitle.organization, role_id bigint REFERENCES entitle.role,
        is_owner boolean NOT NULL DEFAULT false, UNIQUE (user_id, organization_id, role_id));
    CREATE INDEX ON hand.membership (organization_id);
    CREATE INDEX ON hand.membership (role_id);
    INSERT INTO hand.membership (user_id, organization_id, role_id, is_owner)
    SELECT user_id, organization_id, role_id, is_owner FROM entitle.membership;
    CREATE TABLE hand.log (at timestamptz NOT NULL DEFAULT now(), who text NOT NULL, row_image jsonb NOT NULL);
    CREATE FUNCTION hand.add_member(caller text, login text, role text, organization_id bigint) RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        made hand.membership;
    BEGIN
        IF NOT EXISTS (SELECT FROM hand.membership m JOIN entitle.app_user u USING (user_id)
                       WHERE u.login = caller AND u.is_active AND m.organization_id = add_member.organization_id AND m.is_owner) THEN
            RAISE EXCEPTION 'not allowed';
        END IF;
        INSERT INTO hand.membership (user_id, organization_id, role_id)
        SELECT u.user_id, add_member.organization_id, r.role_id
        FROM entitle.app_user u, entitle.role r
        WHERE u.login = add_member.login AND u.is_active AND r.name = add_member.role AND r.organization_id = add_member.organization_id
        RETURNING * INTO STRICT made;
        INSERT INTO hand.log (who, row_image) VALUES (caller, to_jsonb(made));
        RETURN made.membership_id;
    END $$)sql";

constexpr const char *kList =
    "SELECT count(*) || ' ' || max(u.login) || ' ' || max(r.name) FROM entitle.membership m"
    " JOIN entitle.app_user u USING (user_id) LEFT JOIN entitle.role r USING (role_id)";
constexpr const char *kListByHand =
    "SELECT count(*) || ' ' || max(u.login) || ' ' || max(r.name) FROM entitle.membership m"
    " JOIN entitle.app_user u USING (user_id) LEFT JOIN entitle.role r USING (role_id)"
    " WHERE m.organization_id = 7";
constexpr const char *kMatrix =
    "SELECT count(*) || ' ' || count(*) FILTER (WHERE allowed) FROM entitle.permission_matrix(7)";
constexpr const char *kMatrixByHand =
    "SELECT count(*) || ' ' || count(*) FILTER (WHERE allowed)"
    " FROM (SELECT EXISTS (SELECT FROM entitle.capability_permission a"
    " LEFT JOIN entitle.role_permission p ON p.role_id = r.role_id"
    " AND p.permission_key = a.permission_key WHERE a.capability_key = c.capability_key"
    " GROUP BY a.alternative HAVING bool_and(p.role_id IS NOT NULL)) AS allowed"
    " FROM entitle.role r CROSS JOIN entitle.capability c WHERE r.organization_id = 7) AS m";

void make_data(Session &session, int organizations) {
    const std::string many = "generate_series(2, " + std::to_string(organizations + 1) + ") AS o";
    const std::string all = std::to_string(organizations * kMembers);
    session.run("CREATE EXTENSION entitle");
    session.run("INSERT INTO entitle.organization (organization_id, name)"
                " SELECT o, 'organization ' || o FROM " +
                many);
    session.run("INSERT INTO entitle.brand (brand_id, organization_id, name)"
                " SELECT o, o, 'brand' FROM " +
                many);
    session.run("INSERT INTO entitle.brand_module (brand_id, module_key)"
                " SELECT o, module_key FROM " +
                many + ", entitle.module");
    session.run(kTriggers);
    session.run("CALL public.set_triggers(false)");
    session.run("INSERT INTO entitle.role (role_id, organization_id, name)"
                " SELECT o * 10 + k, o, 'role ' || k FROM " +
                many + ", generate_series(1, 5) AS k");
    session.run("INSERT INTO entitle.role_permission (role_id, permission_key)"
                " SELECT o * 10 + k, p FROM " +
                many +
                ", generate_series(1, 5) AS k,"
                " unnest('{customers.view,customers.edit,reports.view,conversions.view,"
                "roles.manage}'::text[]) WITH ORDINALITY AS l (p, n) WHERE n <= k");
    session.run("INSERT INTO entitle.app_user (user_id, login)"
                " SELECT i, 'user ' || i FROM generate_series(1, " +
                all + " + 100000) AS i");
    session.run("INSERT INTO entitle.membership (membership_id, user_id, organization_id, role_id,"
                " role_organization_id, is_owner) SELECT i, i, 2 + i % " +
                std::to_string(organizations) + ", CASE WHEN i > " + std::to_string(organizations) +
                " THEN (2 + i % " + std::to_string(organizations) +
                ") * 10 + 1 + i % 5 END, CASE WHEN i > " + std::to_string(organizations) +
                " THEN 2 + i % " + std::to_string(organizations) + " END, i <= " +
                std::to_string(organizations) + " FROM generate_series(1, " + all + ") AS i");
    session.run("SELECT setval(pg_get_serial_sequence('entitle.membership', 'membership_id'), " +
                all + ")");
    session.run("CALL public.set_triggers(true)");
    session.run(kByHand);
    session.run("VACUUM ANALYZE");
    session.run("CREATE ROLE bench_hand BYPASSRLS");
    session.run("CREATE ROLE bench_owner");
    session.run("GRANT USAGE ON SCHEMA hand TO bench_hand");
    session.run("GRANT SELECT ON ALL TABLES IN SCHEMA entitle TO bench_hand, bench_owner");
    session.run("GRANT EXECUTE ON FUNCTION entitle.add_member TO bench_owner");
}

// Users without any place become members, and the transaction is undone.
Side adding(const SharedSession &session, const std::string &name, const std::string &role,
            const std::string &call, int first) {
    const auto next = std::make_shared<int>(0);
    const auto is_prepared = std::make_shared<bool>(false);
    const Side inner = {name,
                        {},
                        [=] {
                            for (int i = 0; i < kAdded; ++i, ++*next) {
                                session->execute(
                                    name, {"user " + std::to_string(first + *next % 100000)});
                            }
                            return std::string();
                        },
                        [=] {
                            return session->processor_time();
                        }};
    return {name, {}, {}, {}, [=] {
                session->become(role);
                if (!*is_prepared) {
                    session->prepare(name, call);
                    *is_prepared = true;
                }
                session->run("BEGIN");
                const Sample sample = time_runs(inner, 1);
                session->run("ROLLBACK");
                return sample;
            }};
}

} // namespace

void measure_selfservice(Bench &bench) {
    const int organizations = bench.is_quick ? 100 : 1000;
    const int users = organizations * kMembers;
    Session administrator;
    administrator.run(std::string("CREATE DATABASE ") + kDatabase);
    {
        const SharedSession session = open_session(kDatabase);
        make_data(*session, organizations);
        session->sign_in("user 5"); // who owns organization 7
        Result labels;
        labels.topic = "selfservice";
        labels.target = 1.5;
        const auto asked = [&](const std::string &key, const std::string &title,
                               const char *by_hand, const char *measured) {
            labels.key = key;
            labels.title = title;
            labels.baseline = by_hand;
            labels.measured = measured;
            compare(bench, labels,
                    {prepared(session, key + "_by_hand", "bench_hand", by_hand),
                     prepared(session, key, "bench_owner", measured),
                     prepared(session, key + "_again", "bench_hand", by_hand)},
                    bench.limits(6));
        };
        asked("list",
              with_commas(kMembers) + " members listed, of " + with_commas(users) + " users",
              kListByHand, kList);
        asked("matrix", "permission matrix of 5 roles", kMatrixByHand, kMatrix);

        const char *by_hand = "SELECT hand.add_member('user 5', $1::text, 'role 2', 7) IS NULL";
        const char *measured = "SELECT entitle.add_member($1::text, 'role 2', 7) IS NULL";
        labels.key = "add_member";
        labels.title = "add_member, one call";
        labels.baseline = by_hand;
        labels.measured = measured;
        compare(bench, labels,
                {adding(session, "add_by_hand", "bench_hand", by_hand, users + 1),
                 adding(session, "add_member", "bench_owner", measured, users + 1),
                 adding(session, "add_again", "bench_hand", by_hand, users + 1)},
                bench.limits(6));
    }
    administrator.run(std::string("DROP DATABASE ") + kDatabase);
    administrator.run("DROP ROLE IF EXISTS bench_hand, bench_owner");
}

} // namespace bench
