// JDBC. prepareThreshold=0: a pooler before PgBouncer 1.21 keeps no statement for the client.
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;

public class Jdbc {
    static final String QUESTION =
        "SELECT concat_ws(' ', coalesce(entitle.current_login(), 'none'), entitle.access_level(?::bigint),"
        + " entitle.has_permission('customers.view'), (SELECT count(*) FROM orders_view),"
        + " (SELECT count(price) FROM orders_view), (SELECT count(*) FROM invoices))";
    static final String IDENTITY = System.getenv("CLIENT_IDENTITY");
    static Connection application;
    static Connection administrator;

    interface Work {
        void on(Connection connection) throws SQLException;
    }

    static Connection connect(String user, String port, String database) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://" + System.getenv("CLIENT_HOST") + ":" + port + "/"
            + database + "?prepareThreshold=0", user, "");
    }

    static Connection connect(String user) throws SQLException {
        return connect(user, System.getenv("CLIENT_PORT"), System.getenv("CLIENT_DATABASE"));
    }

    static String query(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; ++i) {
                statement.setObject(i + 1, values[i]);
            }
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getString(1);
            }
        }
    }

    static String ask(Connection connection) throws SQLException {
        return query(connection, QUESTION, 1);
    }

    static void asPerson(String login, String token, Work work) throws SQLException {
        if (IDENTITY.equals("role")) {
            try (Connection connection = connect("role_" + login)) {
                work.on(connection);
            }
            return;
        }
        application.setAutoCommit(false);
        if (IDENTITY.equals("sign_in")) {
            query(application, "SELECT entitle.sign_in(?)", login);
        } else {
            query(application, "SELECT set_config('entitle.token', ?, true)", token);
        }
        work.on(application);
        application.commit();
        application.setAutoCommit(true);
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> people = new LinkedHashMap<>();
        for (String line : Files.readAllLines(Path.of(System.getenv("CLIENT_PEOPLE")))) {
            people.put(line.split(" ")[0], line.split(" ")[1]);
        }
        if (!IDENTITY.equals("role")) {
            application = connect("app");
        }
        administrator = connect("postgres", System.getenv("SERVER_PORT"), "postgres");
        for (Map.Entry<String, String> person : people.entrySet()) {
            asPerson(person.getKey(), person.getValue(), connection -> System.out.println(ask(connection)));
        }
        if (application != null) {
            System.out.println("after: " + ask(application));
        }
        asPerson("l30", people.get("l30"), connection -> {
            System.out.println("before the revoke: " + ask(connection));
            query(administrator, "SELECT entitle.revoke_access(?, ?)", 1L, "l30");
            System.out.println("after the revoke: " + ask(connection));
        });
        query(administrator, "SELECT entitle.grant_access(?, ?, 'L30', NULL)", 1L, "l30");
    }
}
